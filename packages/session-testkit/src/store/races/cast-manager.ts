import { type SessionConfig, SessionManager } from "@kyb/session-core";
import type { SessionStore, UserLimit } from "../contract.ts";
import { ABSOLUTE, IDLE, MINUTE } from "../fixtures.ts";
import type { SeededRandom } from "../random.ts";
import type { Arena, Cast, Weather } from "./arena.ts";
import { Browser, idIn, type Jar, type Note, type RaceData } from "./browser.ts";
import { drawCast } from "./draw-cast.ts";
import type { Handler } from "./handlers.ts";
import type { Event, History } from "./history.ts";

/** Clients that send requests through a `SessionManager`. */
export interface ManagerPlan extends Weather {
  /** Take part in every interleaving. */
  readonly always: readonly Handler[];
  /** Up to two more clients, and for some a second request, are drawn from these. */
  readonly others: readonly [Handler, ...Handler[]];
  /** One browser for each, signed in as this user; undefined: anonymous. */
  readonly browsers: readonly [string | undefined, ...(string | undefined)[]];
  /** Most sessions of one user. */
  readonly limit?: number;
  /** Secrets are due for regeneration by time when the race begins. */
  readonly isRotating?: boolean;
}

export async function castOnManager(plan: ManagerPlan, arena: Arena): Promise<Cast> {
  const { bench, random, history } = arena;
  const policy = random.pick<UserLimit["policy"]>(["evict-oldest", "evict-least-recent", "reject"]);
  const managerOf = (store: SessionStore, own: SeededRandom): SessionManager<RaceData> =>
    new SessionManager(configOf(plan, policy, store, own, () => bench.now));

  const setUp = managerOf(arena.direct, arena.randomOf(-1));
  const open = async (userId: string | undefined): Promise<Jar> => {
    const { token } = await setUp.create(userId === undefined ? {} : { userId });
    return { cookie: `kyb_session_id=${token}` };
  };
  const [first, ...rest] = plan.browsers;
  const jars: [Jar, ...Jar[]] = [await open(first)];
  for (const userId of rest) jars.push(await open(userId));
  if (plan.isRotating === true) await bench.advance(2 * MINUTE);

  const violations: string[] = [];
  const requests = drawCast(plan, random);
  const browsers = requests.map((_, index) => {
    const own = arena.randomOf(index);
    const manager = managerOf(arena.storeOf(index), own);
    return new Browser(String(index), manager, jars, { random: own, history });
  });
  return {
    scripts: requests.map((handlers) => handlers.map(({ name }) => name).join(", then ")),
    clients: browsers.map((browser, index) => async () => {
      try {
        for (const handler of requests[index] ?? []) await handler.run(browser);
      } catch (error) {
        violations.push(`client ${index} failed: ${String(error)}`);
      }
    }),
    userLimit: plan.limit ?? Number.POSITIVE_INFINITY,
    finish: async () => {
      for (const browser of browsers) {
        await browser.manager.close();
        for (const note of browser.notes) checkNote(note, plan, history, violations);
      }
      const late = new Browser("late", setUp, jars, { random, history });
      for (const jar of jars) await checkJar(jar, late, arena, violations);
      await setUp.close();
      return violations;
    },
  };
}

function configOf(
  plan: ManagerPlan,
  policy: UserLimit["policy"],
  store: SessionStore,
  random: SeededRandom,
  now: () => number,
): SessionConfig<RaceData> {
  return {
    store,
    sessionTimeout: IDLE,
    absoluteTimeout: ABSOLUTE,
    endedRetention: "1000h",
    // The race has its own clients that sweep, and no answer is late by the wall clock.
    cleanupInterval: 0,
    storeTimeout: "10m",
    // Nor is a store down because some answers got lost: what opens the circuit is a silence, and there is none.
    clock: { now, monotonic: () => 0 },
    random: (bytes) => {
      for (let index = 0; index < bytes.length; index++) bytes[index] = random.below(256);
    },
    ...(plan.limit === undefined ? {} : { maxSessionsPerUser: plan.limit, onUserLimit: policy }),
    ...(plan.isRotating === true ? { regenerateEvery: "1m" } : {}),
  };
}

/** What a client was told is what happened. */
function checkNote(note: Note, plan: ManagerPlan, history: History, violations: string[]): void {
  for (const key of note.stored) {
    const times = timesWritten(key, history);
    if (times !== 1) violations.push(`"${key}" was acknowledged and written ${times} times`);
    for (const { answer } of commitsOf(key, history)) {
      const owner = answer?.status === "applied" ? answer.record.state.userId : note.userId;
      if (owner === note.userId) continue;
      violations.push(
        `"${key}" of a request of ${note.userId} was written into a session of ${owner}`,
      );
    }
  }
  for (const key of note.lost) {
    // A commit whose answer was lost may have been made before the session ended; its repetition hears of the end.
    if (plan.isLossy !== true && timesWritten(key, history) > 0)
      violations.push(`"${key}" was told to be lost and is written`);
  }
  if (note.lost.length > 0 && note.cookies.length > 0) {
    violations.push("a request that lost its writes to another one was answered with a cookie");
  }
  const { servedId, isNew, began, sentId } = note;
  if (!isNew && endedBefore(servedId, began, history)) {
    violations.push(`a request was served with ${servedId} after its end was acknowledged`);
  }
  if (plan.isRotating === true && servedId !== sentId) {
    violations.push("a request lost its session to a regeneration by time");
  }
}

function timesWritten(key: string, history: History): number {
  const commits = commitsOf(key, history).filter(({ answer }) => answer?.status === "applied");
  const created = history
    .of("create")
    .filter(({ answer, session }) => answer?.status === "created" && key in session.metadata);
  // A sign-in as another user makes a session that may start with a copy of the data.
  return new Set(commits.map(({ commit }) => commit.opId)).size || Math.min(created.length, 1);
}

function commitsOf(key: string, history: History): Event<"commit">[] {
  return history.of("commit").filter(({ commit }) => commit.ops.some((op) => op.key === key));
}

function endedBefore(id: string, step: number, history: History): boolean {
  return history.events.some(
    (event) =>
      event.finished < step &&
      ((event.method === "end" && event.id === id && event.answer === "ended") ||
        (event.method === "endUser" && event.answer?.includes(id) === true)),
  );
}

/** What is in a browser's jar when all is over opens its session, if that is live. */
async function checkJar(
  jar: Jar,
  browser: Browser,
  { direct, bench }: Arena,
  violations: string[],
): Promise<void> {
  const id = idIn(jar.cookie);
  if (id === undefined || (await direct.endIfDue(id, bench.call)) === undefined) return;
  await browser.send(async (session) => {
    if (session.id !== id)
      violations.push(`the cookie in the jar does not open the live session ${id}`);
  }, jar);
}
