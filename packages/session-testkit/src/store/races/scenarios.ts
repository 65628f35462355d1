import type { Arena, Cast, Weather } from "./arena.ts";
import { castOnManager, type ManagerPlan } from "./cast-manager.ts";
import { castOnStore, type StorePlan } from "./cast-store.ts";
import * as handlers from "./handlers.ts";
import * as scripts from "./scripts.ts";

/** What races with what. */
export interface Scenario extends Weather {
  /** A sentence about what holds. */
  readonly name: string;
  /** Answers that some of many interleavings must get: without them the race that is meant never took place. */
  readonly sees: readonly string[];
  /** How many the suite explores; all scenarios together enough for 10,000 distinct ones, which prove the race contract. */
  readonly interleavings: number;
  cast(arena: Arena): Promise<Cast>;
}

type Named = Pick<Scenario, "name" | "sees">;

const { add, endOthers, enter, leave, put, read, renew } = handlers;
const { append, count, login, look, overwrite, regenerate, revoke, revokeUser } = scripts;
const { rotate, signIn, signOut, sweep, visit, write } = scripts;

function onStore({ name, sees, ...plan }: Named & StorePlan): Scenario {
  return { ...plan, name, sees, interleavings: 710, cast: (arena) => castOnStore(plan, arena) };
}

function onManager({ name, sees, ...plan }: Named & ManagerPlan): Scenario {
  return { ...plan, name, sees, interleavings: 510, cast: (arena) => castOnManager(plan, arena) };
}

export const scenarios: readonly [Scenario, ...Scenario[]] = [
  onStore({
    name: "writes of different keys all survive, and of the same key the last one wins (F-02)",
    always: [write, write, overwrite],
    others: [write, overwrite, visit, count],
    sessions: [undefined],
    sees: ["commit applied"],
  }),
  onStore({
    name: "increments add up and updates of one list all survive (F-03)",
    always: [count, append, append],
    others: [append, count, write],
    sessions: ["ann"],
    sees: ["commit applied", "commit conflict"],
  }),
  onStore({
    name: "a session that is signed out or revoked during a slow request never comes back (F-01, R-26)",
    always: [write, signOut],
    others: [count, append, revoke, signOut, visit, regenerate],
    sessions: [undefined, "ann"],
    sees: ["commit applied", "commit gone", "end ended", "end gone", "end superseded"],
  }),
  onStore({
    name: "a request that was opened before a sign-in writes nothing into the signed-in session (F-04)",
    always: [signIn, write],
    others: [append, count, signIn, signOut, visit],
    sessions: [undefined],
    sees: ["commit applied", "commit superseded", "commit gone"],
  }),
  onStore({
    name: "of secrets that change at the same time one is left, and no write is lost or comes too late (F-05)",
    always: [rotate, regenerate],
    others: [rotate, write, count, regenerate, signIn],
    sessions: ["ann"],
    sees: ["commit applied", "commit superseded"],
  }),
  onStore({
    name: "revoking a user ends every session that was there, at one instant, and none that comes later (F-08)",
    always: [revokeUser, login],
    others: [signIn, look, write, revokeUser, login, signOut],
    sessions: [undefined, "ann", "ann", "bob"],
    sees: ["endUser some", "endUser none", "commit gone", "create created"],
  }),
  onStore({
    name: "no sign-ins at the same time leave more sessions than a user may have (F-07, R-25)",
    always: [login, signIn, look],
    others: [login, signIn, signOut, revoke, revokeUser],
    sessions: [undefined, "ann", "ann"],
    limit: 2,
    sees: ["create created", "create refused", "commit applied", "commit refused", "commit gone"],
  }),
  onStore({
    name: "touches, sweeps and the end of time agree on whether a session is over (R-22)",
    always: [visit, sweep, write],
    others: [visit, sweep, signIn, signOut, revokeUser, count],
    sessions: [undefined, "ann"],
    isTimed: true,
    sees: ["sweep some", "endIfDue ended", "endIfDue live", "commit gone", "end gone"],
  }),
  onStore({
    name: "a commit that is repeated because its answer was lost is made once (F-17)",
    always: [count, append],
    others: [signIn, regenerate, rotate, write, revoke],
    sessions: [undefined],
    isLossy: true,
    sees: ["commit applied", "commit conflict", "commit superseded", "commit gone"],
  }),
  onStore({
    name: "everything at once, with lost answers and a moving clock (F-09)",
    always: [write, signIn],
    others: [
      append,
      count,
      login,
      look,
      overwrite,
      regenerate,
      revoke,
      revokeUser,
      rotate,
      signOut,
      sweep,
      visit,
    ],
    sessions: [undefined, "ann", "bob"],
    isLossy: true,
    isTimed: true,
    sees: ["commit applied", "commit gone", "commit superseded", "end ended", "sweep some"],
  }),
  onManager({
    name: "through the manager: what a handler is told is stored is stored once, what is told lost is not there",
    always: [put, add, put],
    others: [put, add, leave, handlers.revoke, read, renew],
    browsers: [undefined],
    sees: ["commit applied", "commit conflict", "commit gone", "commit superseded"],
  }),
  onManager({
    name: "through the manager: a planted token writes nothing after the sign-in, and gets no cookie (F-04)",
    always: [enter, put],
    others: [put, add, enter, leave, read],
    browsers: [undefined],
    sees: ["commit applied", "commit superseded", "commit gone"],
  }),
  onManager({
    name: "through the manager: no request is served with a session whose end was acknowledged (F-01, F-08)",
    always: [handlers.revokeUser, put],
    others: [handlers.revoke, put, add, enter, endOthers, leave],
    browsers: ["ann", "ann", undefined],
    sees: ["endUser some", "commit gone", "create created"],
  }),
  onManager({
    name: "through the manager: no user has more sessions than allowed (F-07)",
    always: [enter, enter],
    others: [enter, put, leave, read],
    browsers: ["ann", undefined, undefined],
    limit: 1,
    sees: ["commit applied", "commit refused", "commit gone"],
  }),
  onManager({
    name: "through the manager: regeneration by time makes one successor and costs no request its session (F-05)",
    always: [read, put, read],
    others: [read, put, add],
    browsers: ["ann"],
    isRotating: true,
    sees: ["commit applied", "commit superseded"],
  }),
  onManager({
    name: "through the manager: lost answers and a moving clock change none of this (F-17, R-22)",
    always: [handlers.save, read],
    others: [handlers.save, leave, handlers.revoke, read, handlers.revokeUser],
    browsers: [undefined, "ann"],
    isLossy: true,
    isTimed: true,
    sees: ["commit applied", "commit gone", "endIfDue ended"],
  }),
];
