import type { UserLimit } from "../contract.ts";
import { NO_LIMITS, newSession } from "../fixtures.ts";
import type { Arena, Cast, Weather } from "./arena.ts";
import { RaceClient, type Subject } from "./client.ts";
import { drawCast } from "./draw-cast.ts";
import type { Script } from "./scripts.ts";

/** Clients that speak to the store directly. */
export interface StorePlan extends Weather {
  /** Take part in every interleaving. */
  readonly always: readonly Script[];
  /** Up to two more clients, and for some a second request, are drawn from these. */
  readonly others: readonly [Script, ...Script[]];
  /** Sessions that exist when the race begins, by user; undefined: anonymous. */
  readonly sessions: readonly [string | undefined, ...(string | undefined)[]];
  /** Most sessions of one user. */
  readonly limit?: number;
}

export async function castOnStore(plan: StorePlan, arena: Arena): Promise<Cast> {
  const { bench, random, direct } = arena;
  const policy = random.pick<UserLimit["policy"]>(["evict-oldest", "evict-least-recent", "reject"]);
  const limit = plan.limit === undefined ? undefined : { max: plan.limit, policy };
  const add = async (userId: string | undefined, index: number): Promise<Subject> => {
    const session = newSession(`subject ${index}`, { userId });
    await direct.create(session, { ...NO_LIMITS, user: limit }, bench.call);
    return { id: session.id, secretHash: session.secretHash };
  };
  const [first, ...rest] = plan.sessions;
  const subjects: [Subject, ...Subject[]] = [await add(first, 0)];
  for (const [index, userId] of rest.entries()) subjects.push(await add(userId, index + 1));

  const world = { subjects, users: ["ann", "bob"], limit, now: () => bench.now } as const;
  const violations: string[] = [];
  const requests = drawCast(plan, random);
  return {
    scripts: requests.map((scripts) => scripts.map(({ name }) => name).join(", then ")),
    clients: requests.map((scripts, index) => {
      const store = arena.storeOf(index);
      const client = new RaceClient(String(index), store, world, arena.randomOf(index));
      return async () => {
        try {
          for (const script of scripts) await script.run(client);
        } catch (error) {
          violations.push(`client ${index} failed: ${String(error)}`);
        }
      };
    }),
    userLimit: limit?.max ?? Number.POSITIVE_INFINITY,
    finish: async () => violations,
  };
}
