import { expect } from "vitest";
import type { StoreBench } from "../bench.ts";
import type { EndReason } from "../contract.ts";
import {
  ABSOLUTE,
  HOUR,
  IDLE,
  idOf,
  MINUTE,
  PROVISIONAL,
  SECOND,
  set,
  signIn,
  trackItem,
} from "../fixtures.ts";
import { inTopic, type StoreCase } from "../harness.ts";

export const expiryCases: readonly StoreCase[] = inTopic("expiry", [
  {
    name: "a session is live until the last millisecond of its idle timeout and over with it (R-22)",
    async run(bench) {
      await bench.create("a");
      await bench.advance(5 * MINUTE);
      await bench.request(idOf("a"));
      await endsAfter(bench, "a", IDLE, "idle");
    },
  },
  {
    name: "a session that is in use all the time is over with its absolute timeout (R-22)",
    async run(bench) {
      await bench.create("a");
      for (let passed = 0; passed < ABSOLUTE - 20 * MINUTE; passed += 20 * MINUTE) {
        await bench.advance(20 * MINUTE);
        await bench.request(idOf("a"));
      }
      await endsAfter(bench, "a", 20 * MINUTE, "absolute");
    },
  },
  {
    name: "a provisional session is over with its own timeout (R-80)",
    async run(bench) {
      await bench.create("a", { provisionalTimeout: PROVISIONAL });
      await endsAfter(bench, "a", PROVISIONAL, "provisional");
    },
  },
  {
    name: "a session is no longer provisional once its token came back, something was stored or somebody signed in",
    async run(bench) {
      const labels = ["confirmed", "stored", "signed in", "seen only"];
      for (const label of labels) await bench.create(label, { provisionalTimeout: PROVISIONAL });
      const still = { access: false, active: false };
      await bench.track(trackItem(idOf("confirmed"), bench.now, { ...still, confirm: true }));
      await bench.track(trackItem(idOf("seen only"), bench.now, { ...still, confirm: false }));
      await bench.apply(idOf("stored"), { ops: [set("a", 1)] });
      await bench.apply(idOf("signed in"), { change: signIn("ann") });
      await bench.advance(PROVISIONAL);
      expect(await bench.endIfDue(idOf("seen only"))).toBeUndefined();
      await bench.advance(IDLE - PROVISIONAL - 1);
      for (const label of labels.slice(0, 3)) {
        expect(await bench.endIfDue(idOf(label)), label).toBeDefined();
      }
      await bench.advance(1);
      await isOver(bench, "confirmed", 0, "idle");
      await isOver(bench, "stored", 0, "idle");
      await isOver(bench, "signed in", 1, "idle");
    },
  },
  {
    name: "passive requests do not extend the idle timeout, and unconfirmed ones not the provisional one",
    async run(bench) {
      await bench.create("passive");
      await bench.create("provisional", { provisionalTimeout: PROVISIONAL });
      await bench.advance(PROVISIONAL - 1);
      await bench.request(idOf("passive"), {}, { active: false });
      await bench.request(idOf("provisional"), {}, { confirm: false });
      await endsAfter(bench, "provisional", 1, "provisional");
      await endsAfter(bench, "passive", IDLE - PROVISIONAL, "idle");
    },
  },
  {
    name: "no touch lives past the absolute end, whatever time it claims (R-22, F-27)",
    async run(bench) {
      await bench.create("a", { absoluteTimeout: HOUR });
      await bench.track(trackItem(idOf("a"), bench.now + ABSOLUTE));
      await endsAfter(bench, "a", HOUR, "absolute");
    },
  },
  {
    name: "a touch that comes after the deadline revives nothing, whatever time it claims (R-26)",
    async run(bench) {
      await bench.create("a");
      await bench.advance(IDLE);
      await bench.track(trackItem(idOf("a"), bench.now), trackItem(idOf("a"), bench.now - 1));
      expect((await bench.commit(idOf("a"), { ops: [set("a", 1)] })).status).toBe("gone");
      expect(await bench.endIfDue(idOf("a"))).toBeUndefined();
      expect((await bench.read(idOf("a"))).endReason).toBe("idle");
    },
  },
  {
    name: "endIfDue answers a session that was touched meanwhile: it is live",
    async run(bench) {
      await bench.create("a");
      await bench.advance(IDLE - 1);
      await bench.request(idOf("a"));
      await bench.advance(1);
      const live = await bench.endIfDue(idOf("a"));
      expect(live?.lastActivityTime).toBe(bench.now - 1);
      expect((await bench.read(idOf("a"))).endedAt).toBeUndefined();
    },
  },
  {
    name: "a due session is no longer live at the time of its end, and ends at that time or after",
    async run(bench) {
      await bench.create("a");
      const deadline = bench.now + IDLE;
      await bench.advance(IDLE + 5 * SECOND);
      await bench.endIfDue(idOf("a"));
      const { endedAt = 0 } = await bench.read(idOf("a"));
      expect(endedAt).toBeGreaterThanOrEqual(deadline);
      expect(endedAt).toBeLessThanOrEqual(bench.now);
    },
  },
  {
    name: "sweep ends all that is due with the right reason, once, and nothing else",
    async run(bench) {
      const due: Record<string, EndReason> = {};
      for (let index = 0; index < 40; index++) {
        due[`idle ${index}`] = "idle";
        due[`absolute ${index}`] = "absolute";
        due[`provisional ${index}`] = "provisional";
        await bench.create(`idle ${index}`, { idleTimeout: HOUR });
        await bench.create(`absolute ${index}`, { idleTimeout: HOUR, absoluteTimeout: HOUR });
        await bench.create(`provisional ${index}`, { provisionalTimeout: MINUTE });
      }
      await bench.create("live", { idleTimeout: HOUR + 1 });
      await bench.create("touched", { idleTimeout: HOUR });
      expect(await bench.sweep()).toBe(0);
      await bench.advance(MINUTE);
      await bench.request(idOf("touched"));
      await bench.advance(HOUR - MINUTE);
      expect(await bench.sweep()).toBe(120);
      expect(await bench.sweep()).toBe(0);

      for (const [label, reason] of Object.entries(due)) {
        expect((await bench.read(idOf(label))).endReason).toBe(reason);
      }
      expect((await bench.ids()).sort()).toEqual([idOf("live"), idOf("touched")].sort());
      const heard = (await bench.eventsOf("ended")).map((event) => event.sessionId);
      expect(heard.sort()).toEqual(Object.keys(due).map(idOf).sort());
    },
  },
  {
    name: "sweep finds a session by its latest deadline, moved many times and also moved nearer",
    async run(bench) {
      await bench.create("moved");
      await bench.create("nearer", { idleTimeout: ABSOLUTE });
      for (let round = 0; round < 10; round++) {
        await bench.advance(IDLE - 1);
        await bench.request(idOf("moved"));
        expect(await bench.sweep()).toBe(0);
      }
      await bench.apply(idOf("nearer"), { change: signIn("ann", { idleTimeout: MINUTE }) });
      await bench.advance(MINUTE);
      expect(await bench.sweep()).toBe(1);
      expect((await bench.read(idOf("nearer"))).endReason).toBe("idle");
      await bench.advance(IDLE - MINUTE - 1);
      expect(await bench.sweep()).toBe(0);
      await bench.advance(1);
      expect(await bench.sweep()).toBe(1);
      expect((await bench.read(idOf("moved"))).endReason).toBe("idle");
    },
  },
  {
    name: "an ended session is readable for endedRetention, then unknown",
    settings: { endedRetention: 10 * MINUTE },
    async run(bench) {
      await bench.create("a");
      await bench.create("live");
      await bench.end(idOf("a"));
      await bench.advance(10 * MINUTE - 1);
      await bench.sweep();
      expect((await bench.read(idOf("a"))).endReason).toBe("revoked");
      expect(await bench.ids({ status: "ended" })).toEqual([idOf("a")]);
      await bench.advance(SECOND);
      await bench.sweep();
      expect(await bench.find(idOf("a"))).toBeUndefined();
      expect(await bench.ids({ status: "ended" })).toEqual([]);
      expect(await bench.find(idOf("live"))).toBeDefined();
    },
  },
  {
    name: "at most maxEnded ended sessions are kept, and the oldest go first",
    settings: { maxEnded: 2 },
    async run(bench) {
      for (const label of ["first", "second", "third", "live"]) await bench.create(label);
      for (const label of ["second", "first", "third"]) {
        await bench.advance(SECOND);
        await bench.end(idOf(label));
      }
      await bench.sweep();
      expect((await bench.ids({ status: "ended" })).sort()).toEqual(
        [idOf("first"), idOf("third")].sort(),
      );
      expect(await bench.find(idOf("second"))).toBeUndefined();
      expect(await bench.ids()).toEqual([idOf("live")]);
    },
  },
]);

/** The session is live until `wait` has passed, and over at that very millisecond for every method. */
async function endsAfter(
  bench: StoreBench,
  label: string,
  wait: number,
  reason: EndReason,
): Promise<void> {
  const id = idOf(label);
  await bench.advance(wait - 1);
  const live = await bench.endIfDue(id);
  if (live === undefined) return expect.unreachable(`${label} is over too early`);
  const { epoch } = live.state;
  expect((await bench.commit(id, { epoch })).status).toBe("applied");
  await bench.advance(1);
  await isOver(bench, label, epoch, reason);
}

/** Over for every method, at this very millisecond. */
async function isOver(
  bench: StoreBench,
  label: string,
  epoch: number,
  reason: EndReason,
): Promise<void> {
  const id = idOf(label);
  expect((await bench.commit(id, { epoch })).status, `a commit to ${label}`).toBe("gone");
  expect(await bench.endIfDue(id), `${label} after its deadline`).toBeUndefined();
  expect((await bench.read(id)).endReason).toBe(reason);
}
