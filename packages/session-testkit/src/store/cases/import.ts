import { expect } from "vitest";
import type { StoreBench } from "../bench.ts";
import type { ActivityEntry, ImportStatus, SessionRecord } from "../contract.ts";
import {
  ABSOLUTE,
  entryOf,
  HOUR,
  hashOf,
  IDLE,
  idOf,
  MINUTE,
  metadataOf,
  newSession,
  PROVISIONAL,
  SECOND,
  set,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const importCases: readonly StoreCase[] = inTopic("import", [
  {
    name: "an imported session is here as it was elsewhere, to the last field",
    async run(bench) {
      const record = elsewhere(bench, "a");
      expect(await take(bench, record)).toEqual(["imported"]);
      expect(await bench.read(idOf("a"))).toEqual(record);
      const plain = elsewhere(bench, "b", { userId: undefined, provisionalEnd: undefined });
      const bare = {
        ...plain,
        state: { ...plain.state, authenticatedAt: undefined, retired: [], pending: undefined },
      };
      expect(await take(bench, bare)).toEqual(["imported"]);
      expect(await bench.read(idOf("b"))).toEqual(bare);
    },
  },
  {
    name: "an imported session stands in every order at its own times, beside those that were made here",
    needs: "userIndex",
    async run(bench) {
      await bench.create("here", { userId: "ann" });
      const older = elsewhere(bench, "older");
      const late = { ...elsewhere(bench, "late"), lastAccessTime: bench.now + SECOND };
      expect(await take(bench, older, late)).toEqual(["imported", "imported"]);
      const oldest = [idOf("late"), idOf("older")].sort();
      const created = await bench.ids({ userId: "ann", direction: "ascending" });
      expect(created.slice(0, 2).sort()).toEqual(oldest);
      expect(created[2]).toBe(idOf("here"));
      expect(await bench.ids({ sort: "lastAccessTime" })).toEqual([
        idOf("late"),
        idOf("here"),
        idOf("older"),
      ]);
      expect((await bench.list({ userId: "ann" })).total).toBe(3);
    },
  },
  {
    name: "an imported session falls due by its own times",
    async run(bench) {
      const idle = elsewhere(bench, "idle");
      const provisional = elsewhere(bench, "provisional", { userId: undefined });
      await take(bench, idle, { ...provisional, confirmed: false });
      const left = idle.lastActivityTime + idle.state.idleTimeout - bench.now;
      await bench.advance(PROVISIONAL);
      expect(await bench.sweep()).toBe(1);
      expect((await bench.read(idOf("provisional"))).endReason).toBe("provisional");
      await bench.advance(left - PROVISIONAL - 1);
      expect(await bench.sweep()).toBe(0);
      await bench.advance(1);
      expect(await bench.sweep()).toBe(1);
      expect((await bench.read(idOf("idle"))).endReason).toBe("idle");
    },
  },
  {
    name: "what exists is left as it is: live, ended, and twice in one batch",
    needs: "userIndex",
    async run(bench) {
      const record = elsewhere(bench, "a");
      const other = { ...record, state: { ...record.state, epoch: 9, userId: "eve" } };
      expect(await take(bench, record, other)).toEqual(["imported", "exists"]);
      expect(await take(bench, other)).toEqual(["exists"]);
      expect(await bench.read(idOf("a"))).toEqual(record);
      expect((await bench.list({ userId: "eve" })).total).toBe(0);
      await bench.end(idOf("a"));
      const ended = await bench.read(idOf("a"));
      expect(await take(bench, record)).toEqual(["exists"]);
      expect(await bench.read(idOf("a")), "an ended session stays ended").toEqual(ended);
      const { metrics } = await numbers(bench);
      expect(metrics).toMatchObject({ totalSessions: 1, activeSessions: 0 });
    },
  },
  {
    name: "what has changed elsewhere since takes the place of what was imported, wholly and in every index",
    needs: "userIndex",
    async run(bench) {
      const record = elsewhere(bench, "a", { userId: undefined });
      await bench.store.import(
        [{ record, entries: [entryOf({ timestamp: bench.now - MINUTE })] }],
        bench.call,
      );
      const metadata = metadataOf({ cart: ["tea", "cake"] });
      const { metadataBytes } = newSession("a", { metadata });
      const signedIn = elsewhere(bench, "a", { epoch: 4, version: 9, metadata, metadataBytes });
      const changed = { ...signedIn, lastAccessTime: bench.now, requestCount: 43 };
      const entry = entryOf({ timestamp: bench.now, endpoint: "/login" });
      const session = { record: changed, entries: [entry], over: 7 };
      const before = await numbers(bench);
      expect(await bench.store.import([session], bench.call)).toEqual(["imported"]);
      expect(await bench.read(idOf("a"))).toEqual(changed);
      expect((await bench.timeline(idOf("a"))).entries).toEqual([entry]);
      expect(await bench.ids({ userId: "ann" })).toEqual([idOf("a")]);
      expect((await bench.list()).total).toBe(1);
      const { metrics, events } = await numbers(bench);
      expect(events).toEqual(before.events);
      expect(metrics).toMatchObject({
        totalSessions: 1,
        activeSessions: 1,
        signedInSessions: 1,
        anonymousSessions: 0,
        totalLength: changed.lastAccessTime - changed.state.createdAt,
        peakSessions: 1,
      });
      expect(await bench.store.import([session], bench.call), "again").toEqual(["exists"]);
      const { idleTimeout } = changed.state;
      await bench.advance(changed.lastActivityTime + idleTimeout - bench.now);
      expect(await bench.sweep()).toBe(1);
    },
  },
  {
    name: "what has changed here as well, has ended, or is signed in further is not replaced",
    async run(bench) {
      const labels = ["changed", "ended", "further"];
      for (const label of labels) await take(bench, elsewhere(bench, label));
      await bench.apply(idOf("changed"), { epoch: 3, ops: [set("theme", "light")] });
      await bench.end(idOf("ended"));
      for (const [label, epoch] of [
        ["changed", 3],
        ["ended", 3],
        ["further", 2],
      ] as const) {
        const before = await bench.read(idOf(label));
        const record = elsewhere(bench, label, { version: 20, epoch, userId: "eve" });
        const session = { record, entries: [], over: 7 };
        expect(await bench.store.import([session], bench.call), label).toEqual(["exists"]);
        expect(await bench.read(idOf(label)), label).toEqual(before);
      }
      const unknown = elsewhere(bench, "unknown");
      const session = { record: unknown, entries: [], over: 7 };
      expect(await bench.store.import([session], bench.call)).toEqual(["imported"]);
    },
  },
  {
    name: "a session that has ended elsewhere or is due here is gone, and nothing is written",
    async run(bench) {
      const ended = {
        ...elsewhere(bench, "ended"),
        endedAt: bench.now,
        endReason: "idle",
      } as const;
      const idle = elsewhere(bench, "idle", { idleTimeout: MINUTE });
      const over = elsewhere(bench, "over", { absoluteEnd: bench.now });
      expect(await take(bench, ended, idle, over)).toEqual(["gone", "gone", "gone"]);
      for (const label of ["ended", "idle", "over"]) {
        expect(await bench.find(idOf(label)), label).toBeUndefined();
      }
      expect((await bench.list({ status: "all" })).total).toBe(0);
      expect((await bench.metrics()).totalSessions).toBe(0);
    },
  },
  {
    name: "the timeline comes along, the newest activityLimit entries of it, and goes on",
    settings: { activityLimit: 3 },
    async run(bench) {
      const entries = [4, 3, 2, 1].map((step) =>
        entryOf({ timestamp: bench.now - MINUTE + step, endpoint: `/${step}` }),
      );
      const [newest] = entries;
      const custom = { ...(newest as ActivityEntry), action: "moved", metadata: { step: 4 } };
      await bench.store.import(
        [{ record: elsewhere(bench, "a"), entries: [custom, ...entries.slice(1)] }],
        bench.call,
      );
      const first = await bench.timeline(idOf("a"));
      expect(first.entries).toEqual([custom, ...entries.slice(1, 3)]);
      expect(first.total).toBe(3);
      await bench.request(idOf("a"), { endpoint: "/5" });
      const endpoints = (await bench.timeline(idOf("a"))).entries.map((entry) => entry.endpoint);
      expect(endpoints).toEqual(["/5", "/4", "/3"]);
    },
  },
  {
    name: "importing looks at no limit, raises no event, and counts sessions but no requests",
    async run(bench) {
      await bench.create("here", { userId: "ann" });
      await bench.advance(SECOND);
      const before = await numbers(bench);
      const signedIn = elsewhere(bench, "a");
      const { state } = elsewhere(bench, "b", { userId: undefined });
      const shy = {
        ...signedIn,
        state: { ...state, authenticatedAt: undefined },
        confirmed: false,
      };
      await take(bench, signedIn, shy);
      const after = await numbers(bench);
      expect(after.events).toEqual(before.events);
      const length = signedIn.lastAccessTime - signedIn.state.createdAt;
      expect(after.metrics).toMatchObject({
        totalSessions: 3,
        activeSessions: 3,
        signedInSessions: 2,
        anonymousSessions: 1,
        provisionalSessions: 1,
        totalLength: 2 * length,
        totalRequests: 0,
        peakSessions: 3,
        peakSessionsTime: bench.now,
      });
      expect(after.metrics.sessionsByHour).toEqual(before.metrics.sessionsByHour);
    },
  },
  {
    name: "an imported session goes on as the same one: its epoch, its secrets and its successor count",
    async run(bench) {
      const record = elsewhere(bench, "a");
      await take(bench, record);
      const id = idOf("a");
      const late = await bench.commit(id, { epoch: 2, ops: [set("planted", true)] });
      expect(late.status, "a commit of an older epoch").toBe("superseded");
      const wrong = await bench.commit(id, {
        epoch: 3,
        secretHash: hashOf("nobody's"),
        change: { kind: "regenerate", secretHash: hashOf("new") },
      });
      expect(wrong.status).toBe("superseded");
      const { state } = await bench.apply(id, {
        epoch: 3,
        secretHash: hashOf("successor"),
        change: { kind: "promote" },
        ops: [set("theme", "light")],
      });
      expect(state.secretHash).toBe(hashOf("successor"));
      expect(state.retired[0]?.hash).toBe(record.state.secretHash);
      expect(state.metadata).toEqual({ cart: ["tea"], theme: "light" });
      expect(state.version).toBe(record.state.version + 1);
    },
  },
  {
    name: "an imported session is its user's: revoking the user ends it",
    needs: "userIndex",
    async run(bench) {
      await take(bench, elsewhere(bench, "a"), elsewhere(bench, "b", { userId: "bob" }));
      expect(await bench.endUser("ann")).toEqual([idOf("a")]);
      expect(await bench.ids()).toEqual([idOf("b")]);
      expect(await bench.eventsOf("ended")).toHaveLength(1);
    },
  },
]);

/** A session with a past, as another store has it. */
function elsewhere(
  bench: StoreBench,
  label: string,
  overrides: Partial<SessionRecord["state"]> = {},
): SessionRecord {
  const { now } = bench;
  const createdAt = now - 2 * HOUR;
  const metadata = metadataOf({ cart: ["tea"], theme: "dark" });
  return {
    state: {
      id: idOf(label),
      secretHash: hashOf(label),
      transport: "cookie",
      epoch: 3,
      version: 7,
      userId: "ann",
      ipAddress: "2001:db8::7",
      userAgent: "Elsewhere/2.0",
      createdAt,
      secretIssuedAt: createdAt + MINUTE,
      authenticatedAt: createdAt + MINUTE,
      idleTimeout: IDLE + SECOND,
      absoluteEnd: createdAt + ABSOLUTE,
      provisionalEnd: now + PROVISIONAL,
      metadata,
      metadataBytes: newSession(label, { metadata }).metadataBytes,
      retired: [
        { hash: hashOf("signed in"), at: createdAt + MINUTE, kind: "sign-in" },
        { hash: hashOf("rotated"), at: createdAt + SECOND, kind: "rotated" },
      ],
      pending: { hash: hashOf("successor"), nonce: "nonce", at: now - SECOND },
      ...overrides,
    },
    lastAccessTime: now - 5 * MINUTE,
    lastActivityTime: now - 6 * MINUTE,
    requestCount: 41,
    confirmed: true,
    endedAt: undefined,
    endReason: undefined,
  };
}

async function take(
  bench: StoreBench,
  ...records: readonly SessionRecord[]
): Promise<readonly ImportStatus[]> {
  const sessions = records.map((record) => ({ record, entries: [] }));
  return bench.store.import(sessions, bench.call);
}

async function numbers(bench: StoreBench) {
  return { metrics: await bench.metrics(), events: [...bench.events] };
}
