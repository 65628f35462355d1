import { writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { CommitResult, SessionStore } from "@kyb/session-core/store";
import { sqliteStore } from "../../src/index.ts";
import { withoutTransactions } from "./sabotage.ts";
import { commitOf, idOf, NO_LIMITS, newSession, queryOf, requestsOf, set } from "./sessions.ts";

/**
 * One of several processes on one file: writes without end, and says each thing that was acknowledged in a line of its own,
 * before it does the next. It is killed from outside.
 */
const [, , path = "", name = "", twin = ""] = process.argv;
const store: SessionStore = sqliteStore(
  twin === "broken" ? { database: withoutTransactions(new DatabaseSync(path)) } : { path },
);

/** As long as a request would wait, on a machine that is busy with everything else. */
const call = () => ({ signal: AbortSignal.timeout(20_000) });

function say(what: string, detail: string | number = ""): void {
  writeSync(1, `${what} ${detail}\n`);
}

function expectStatus({ status }: CommitResult, expected: string, what: string): void {
  if (status !== expected) say("wrong", `${what}: ${status}`);
}

for (let turn = 0; ; turn++) {
  const label = `${name}-${turn}`;
  try {
    await store.create(newSession(label, { userId: "ann" }), NO_LIMITS, call());
    say("created", label);
    const count = commitOf(label, { ops: [{ kind: "increment", key: "count", by: 1 }] });
    expectStatus(await store.commit(idOf("shared"), count, call()), "applied", "count");
    say("counted");
    const keep = commitOf(label, { ops: [set("mine", label)] });
    expectStatus(await store.commit(idOf(label), keep, call()), "applied", "set");
    say("set", label);
    const batch = { ...requestsOf([idOf("shared")], turn + 1, Date.now()), instance: name };
    await store.track(batch, call());
    say("tracked");
    if (turn % 2 === 0) {
      await store.end(idOf(label), "signed-out", {}, call());
      say("ended", label);
      const late = commitOf(`${label}-late`, { ops: [set("late", true)] });
      expectStatus(await store.commit(idOf(label), late, call()), "gone", "late write");
    }
    await store.sweep({ milliseconds: 4 }, call());
    await store.list(queryOf({ limit: 5 }), call());
  } catch (error) {
    say("failed", error instanceof Error && "code" in error ? String(error.code) : String(error));
  }
}
