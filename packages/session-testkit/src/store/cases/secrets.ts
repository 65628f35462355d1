import { expect } from "vitest";
import {
  ABSOLUTE,
  HOUR,
  hashOf,
  IDLE,
  MINUTE,
  metadataOf,
  PROVISIONAL,
  set,
  signIn,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const secretCases: readonly StoreCase[] = inTopic("secrets", [
  {
    name: "a sign-in gives secret, user and epoch, remembers the old secret and starts both timeouts again (R-21, R-22)",
    async run(bench) {
      const { state } = await bench.create("a", { provisionalTimeout: PROVISIONAL });
      await bench.advance(5 * MINUTE);
      const signedIn = await bench.apply(state.id, {
        secretHash: state.secretHash,
        change: signIn("ann", { idleTimeout: HOUR, absoluteTimeout: 2 * ABSOLUTE }),
      });
      expect(signedIn.state).toEqual({
        ...state,
        version: 1,
        epoch: 1,
        userId: "ann",
        secretHash: hashOf("sign-in of ann"),
        secretIssuedAt: bench.now,
        authenticatedAt: bench.now,
        idleTimeout: HOUR,
        absoluteEnd: bench.now + 2 * ABSOLUTE,
        provisionalEnd: undefined,
        retired: [{ hash: state.secretHash, at: bench.now, kind: "sign-in" }],
      });
      expect((await bench.read(state.id)).state).toEqual(signedIn.state);
    },
  },
  {
    name: "after a sign-in the idle timeout runs from the sign-in (R-22)",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.advance(IDLE - 1);
      await bench.apply(state.id, { change: signIn("ann") });
      await bench.advance(IDLE - 1);
      expect(await bench.endIfDue(state.id)).toBeDefined();
      await bench.advance(1);
      expect(await bench.endIfDue(state.id)).toBeUndefined();
      expect((await bench.read(state.id)).endReason).toBe("idle");
    },
  },
  {
    name: "a sign-in keeps no data but the named keys, and its own changes come after (R-21, R-39)",
    async run(bench) {
      const { state } = await bench.create("a", {
        metadata: metadataOf({ planted: "admin", cart: [1], theme: "dark" }),
      });
      const signedIn = await bench.apply(state.id, {
        ops: [set("theme", "light"), set("fresh", 1)],
        change: signIn("ann", { keep: ["cart", "theme", "missing"] }),
      });
      expect(signedIn.state.metadata).toEqual({ cart: [1], theme: "light", fresh: 1 });
      const { state: other } = await bench.create("b", { metadata: metadataOf({ planted: 1 }) });
      const emptied = await bench.apply(other.id, { change: signIn("ann") });
      expect(emptied.state).toMatchObject({ metadata: {}, metadataBytes: 0 });
      expect(Object.keys(emptied.state.metadata)).toEqual([]);
    },
  },
  {
    name: "a sign-in with keep: true keeps all data",
    async run(bench) {
      const { state } = await bench.create("a", { metadata: metadataOf({ a: 1, b: [2] }) });
      const signedIn = await bench.apply(state.id, { change: signIn("ann", { keep: true }) });
      expect(signedIn.state.metadata).toEqual({ a: 1, b: [2] });
      expect(signedIn.state.metadataBytes).toBe(state.metadataBytes);
    },
  },
  {
    name: "regenerate changes secret and epoch, remembers the old secret and keeps everything else",
    async run(bench) {
      const { state } = await bench.create("a", { userId: "ann", metadata: metadataOf({ a: 1 }) });
      await bench.advance(MINUTE);
      const after = await bench.apply(state.id, {
        secretHash: state.secretHash,
        change: { kind: "regenerate", secretHash: hashOf("next") },
      });
      expect(after.state).toEqual({
        ...state,
        version: 1,
        epoch: 1,
        secretHash: hashOf("next"),
        secretIssuedAt: bench.now,
        retired: [{ hash: state.secretHash, at: bench.now, kind: "regenerated" }],
      });
      expect((await bench.read(state.id)).state).toEqual(after.state);
    },
  },
  {
    name: "an offered successor waits beside the secret, and a second offer leaves the first one standing (R-23)",
    async run(bench) {
      const { state } = await bench.create("a");
      await bench.advance(MINUTE);
      const at = bench.now;
      const offered = await bench.apply(state.id, {
        secretHash: state.secretHash,
        change: { kind: "offer", secretHash: hashOf("next"), nonce: "nonce-1" },
      });
      const pending = { hash: hashOf("next"), nonce: "nonce-1", at };
      expect(offered.state).toEqual({ ...state, version: 1, pending });
      await bench.advance(MINUTE);
      const again = await bench.apply(state.id, {
        secretHash: state.secretHash,
        change: { kind: "offer", secretHash: hashOf("another"), nonce: "nonce-2" },
      });
      expect(again.state.pending).toEqual(pending);
      expect(again.state.secretHash).toBe(state.secretHash);
    },
  },
  {
    name: "a promotion needs the successor, and makes it the secret without touching the epoch (R-23, F-05)",
    async run(bench) {
      const { state } = await bench.create("a");
      const promote = (secretHash: string) =>
        bench.commit(state.id, { secretHash, change: { kind: "promote" } });
      expect((await promote(state.secretHash)).status).toBe("superseded");
      await bench.apply(state.id, {
        change: { kind: "offer", secretHash: hashOf("next"), nonce: "nonce" },
      });
      const before = await bench.read(state.id);
      expect((await promote(state.secretHash)).status).toBe("superseded");
      expect((await promote(hashOf("guess"))).status).toBe("superseded");
      expect(await bench.read(state.id)).toEqual(before);

      await bench.advance(MINUTE);
      const result = await promote(hashOf("next"));
      expect(result.status).toBe("applied");
      expect((await bench.read(state.id)).state).toEqual({
        ...state,
        version: 2,
        secretHash: hashOf("next"),
        secretIssuedAt: bench.now,
        retired: [{ hash: state.secretHash, at: bench.now, kind: "rotated" }],
        pending: undefined,
      });
    },
  },
  {
    name: "a sign-in takes a waiting successor and the grace of rotated secrets with it (R-23)",
    async run(bench) {
      const { state } = await bench.create("a");
      const offer = (name: string) =>
        bench.apply(state.id, { change: { kind: "offer", secretHash: hashOf(name), nonce: name } });
      await offer("second");
      await bench.apply(state.id, { secretHash: hashOf("second"), change: { kind: "promote" } });
      await offer("third");
      await bench.advance(MINUTE);
      const { state: after } = await bench.apply(state.id, {
        secretHash: hashOf("second"),
        change: signIn("ann"),
      });
      expect(after.pending).toBeUndefined();
      const at = bench.now;
      expect(after.retired).toEqual([
        { hash: hashOf("second"), at, kind: "sign-in" },
        { hash: hashOf("third"), at, kind: "sign-in" },
        { hash: state.secretHash, at, kind: "sign-in" },
      ]);
    },
  },
  {
    name: "the four latest replaced secrets are remembered, newest first",
    async run(bench) {
      const { state } = await bench.create("a");
      for (const epoch of [0, 1, 2, 3, 4]) {
        await bench.apply(state.id, {
          epoch,
          change: { kind: "regenerate", secretHash: hashOf(`secret ${epoch + 1}`) },
        });
      }
      const { retired } = (await bench.read(state.id)).state;
      expect(retired.map((secret) => secret.hash)).toEqual(
        [4, 3, 2, 1].map((number) => hashOf(`secret ${number}`)),
      );
    },
  },
]);
