import type { Commit, SessionStore } from "@kyb/session-core/store";
import { expect } from "vitest";
import {
  commitOf,
  hashOf,
  idOf,
  increment,
  NO_LIMITS,
  newSession,
  requestItem,
  signIn,
} from "../../store/fixtures.ts";
import { type FaultBench, RECOVERY } from "../bench.ts";
import type { FaultCase } from "../harness.ts";

/** Longest time that a caller waits for an answer that was lost, milliseconds. */
const GIVE_UP = 500;

export const repetitionCases: readonly FaultCase[] = [
  {
    name: "a change whose answer was lost is made once, however often it is repeated (F-17)",
    topic: "repetition",
    async run(bench) {
      const { id } = await made(bench);
      const commit = commitOf("the change", { ops: [increment("n")] });
      await lose(bench, (store, call) => store.commit(id, commit, call));
      expect((await stateOf(bench, id)).metadata.n, "made before it was repeated").toBe(1);
      for (let time = 0; time < 3; time++) expect(await again(bench, id, commit)).toBe("applied");
      const { metadata, version } = await stateOf(bench, id);
      expect({ n: metadata.n, version }).toEqual({ n: 1, version: 1 });
    },
  },
  {
    name: "a sign-in whose answer was lost is made once, and ends as many sessions as once (F-07, F-17)",
    topic: "repetition",
    async run(bench) {
      const before: { id: string; now: number }[] = [];
      for (const name of ["a", "b", "c"]) before.push(await made(bench, name, "ann"));
      const { id } = await made(bench, "d");
      const limit = { max: 3, policy: "evict-oldest" } as const;
      const change = signIn("ann", { limit, secretHash: hashOf("signed in") });
      const commit = commitOf("the sign-in", { secretHash: hashOf("d"), change });
      await lose(bench, (store, call) => store.commit(id, commit, call));
      expect((await stateOf(bench, id)).epoch, "made before it was repeated").toBe(1);
      for (let time = 0; time < 3; time++) expect(await again(bench, id, commit)).toBe("applied");
      expect(await stateOf(bench, id)).toMatchObject({ epoch: 1, userId: "ann" });
      const page = await bench.witness.list({ userId: "ann" });
      const listed = page.items.map((session) => session.id);
      const gone = before.filter((session) => !listed.includes(session.id));
      expect({ listed: listed.length, gone: gone.length }).toEqual({ listed: 3, gone: 1 });
      expect(listed).toContain(id);
      // Several may have been made in the same millisecond.
      expect(gone[0]?.now).toBe(Math.min(...before.map(({ now }) => now)));
    },
  },
  {
    name: "a creation whose answer was lost makes one session (F-17)",
    topic: "repetition",
    async run(bench) {
      const session = newSession("one", { userId: "ann" });
      const create = (store: SessionStore, call: { signal: AbortSignal }) =>
        store.create(session, { ...NO_LIMITS, user: { max: 5, policy: "reject" } }, call);
      await lose(bench, create);
      expect(await stateOf(bench, session.id), "made before it was repeated").toBeDefined();
      await bench.soon("it can be repeated", async () => {
        expect((await create(bench.store, bench.call())).status).toBe("created");
      });
      expect((await bench.witness.list({ userId: "ann" })).total).toBe(1);
      expect((await bench.witness.metrics()).totalSessions).toBe(1);
    },
  },
  {
    name: "an end whose answer was lost is one end (F-17)",
    topic: "repetition",
    async run(bench) {
      const { id } = await made(bench);
      const end = (store: SessionStore, call: { signal: AbortSignal }) =>
        store.end(id, "revoked", {}, call);
      await lose(bench, end);
      expect((await bench.witness.get(id))?.isActive, "ended before it was repeated").toBe(false);
      await bench.soon("it can be repeated", async () => {
        expect((await end(bench.store, bench.call())).status).toBe("gone");
      });
      expect((await bench.witness.metrics()).endedByReason.revoked).toBe(1);
    },
  },
  {
    name: "observations whose answer was lost are counted once (F-17)",
    topic: "repetition",
    async run(bench) {
      const { id, now } = await made(bench);
      const items = [1, 2, 3].map(() => requestItem(id, now));
      const batch = { instance: "somebody", sequence: 1, items };
      const track = async (store: SessionStore, call: { signal: AbortSignal }) =>
        store.track(batch, call);
      await lose(bench, track);
      expect((await bench.witness.get(id))?.requestCount, "counted before they came again").toBe(3);
      for (let time = 0; time < 2; time++) {
        await bench.soon("they can be repeated", () => track(bench.store, bench.call()));
      }
      expect((await bench.witness.get(id))?.requestCount).toBe(3);
      expect((await bench.witness.metrics()).totalRequests).toBe(3);
      expect((await bench.witness.activity(id)).total).toBe(3);
    },
  },
];

/** A session that was made past the network. */
async function made(
  bench: FaultBench,
  label = "one",
  userId?: string,
): Promise<{ id: string; now: number }> {
  const result = await bench.past.create(newSession(label, { userId }), NO_LIMITS, bench.call());
  if (result.status !== "created") throw new Error(`The session was ${result.status}.`);
  return { id: idOf(label), now: result.record.state.createdAt };
}

/** What the store did, seen past the network. */
async function stateOf(bench: FaultBench, id: string) {
  const record = await bench.past.find(id, bench.call());
  return record?.state ?? expect.unreachable("the session is not there");
}

/** Calls while the answers get lost, and mends the network when that has happened. The caller may be told or not. */
async function lose(
  bench: FaultBench,
  act: (store: SessionStore, call: { signal: AbortSignal }) => unknown,
): Promise<void> {
  const { network } = bench;
  // The connection is in use: what is lost is the answer and not the greeting.
  await bench.store.find(idOf("nobody"), bench.call());
  const before = network.harmed;
  network.break({ kind: "swallow" });
  const told = (async () => act(bench.store, bench.call(GIVE_UP)))();
  const outcome = told.then(
    () => "answered",
    () => "refused",
  );
  await bench.until(() => network.harmed > before, RECOVERY);
  network.mend();
  await outcome;
  expect(network.harmed, "answers that got lost").toBeGreaterThan(before);
}

/** The same change again, through the network that is whole. */
async function again(bench: FaultBench, id: string, commit: Commit): Promise<string> {
  let status = "";
  await bench.soon("it can be repeated", async () => {
    ({ status } = await bench.store.commit(id, commit, bench.call()));
  });
  return status;
}
