import type {
  Commit,
  CreateLimits,
  EndReason,
  NewSession,
  StoreCall,
  UserLimit,
} from "@kyb/session-core/store";
import { commitArguments, createArguments } from "./commit-arguments.ts";
import type { LeaseLock } from "./lease-lock.ts";
import { textsOf } from "./reply.ts";
import type { ScriptReply, ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import type { Member, SpreadIndex, Written } from "./spread-index.ts";
import { decodeText, encodePart, encodeText } from "./text-code.ts";

const NO_LIMITS: CreateLimits = { maxSessions: undefined, user: undefined };
/** Most sessions that one creation ends to make room. */
const MOST = 500;

type SignIn = Extract<NonNullable<Commit["change"]>, { kind: "sign-in" }>;

/**
 * Writes that concern more than one slot, where sessions are spread over shards. Limits are kept by holding a lock
 * while sessions are counted, ended and made, so that they are never exceeded; without a limit there is no lock.
 */
export class SpreadWrites {
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #index: SpreadIndex;
  readonly #lock: LeaseLock;

  constructor(shards: Shards, runner: ScriptRunner, index: SpreadIndex, lock: LeaseLock) {
    this.#shards = shards;
    this.#runner = runner;
    this.#index = index;
    this.#lock = lock;
  }

  create(session: NewSession, limits: CreateLimits, call: StoreCall): Promise<ScriptReply> {
    const { id, userId } = session;
    const { maxSessions } = limits;
    const user = userId === undefined ? undefined : limits.user;
    const base = this.#shards.base(this.#shards.ofSession(id));
    const args = createArguments(session, NO_LIMITS);
    const write = async (latest: number): Promise<Written> => {
      const reply = await this.#runner.run("create", base, args, { latest, call });
      const createdAt = reply.status === "created" ? this.#createdAt(reply) : undefined;
      return { reply, createdAt };
    };
    const enter = async (latest: number): Promise<ScriptReply> => {
      if (userId === undefined) return (await write(latest)).reply;
      return this.#index.enter(userId, id, call, (lease) => write(Math.min(lease, latest)));
    };
    if (maxSessions === undefined && user === undefined) return enter(Number.POSITIVE_INFINITY);
    return this.#holdUser(userId, user, call, (userLatest) =>
      this.#holdRoom(maxSessions, call, async (roomLatest) => {
        const check = await this.#runner.run("create", base, args, { flags: "c", call });
        if (check.status !== "fits") return check;
        const victims = await this.#overLimit(userId, user, id, call);
        if (victims === undefined) return { ...check, status: "refused", values: ["user"] };
        if (!(await this.#makeRoom(maxSessions, victims.length))) {
          return { ...check, status: "refused", values: ["sessions"] };
        }
        await this.#evict(userId, victims, call);
        return enter(Math.min(userLatest, roomLatest));
      }),
    );
  }

  async signIn(id: string, commit: Commit, change: SignIn, call: StoreCall): Promise<ScriptReply> {
    const base = this.#shards.base(this.#shards.ofSession(id));
    const { userId, limit } = change;
    const args = commitArguments(id, commit);
    const enter = (latest: number): Promise<ScriptReply> =>
      this.#index.enter(userId, id, call, async (lease) => {
        const limits = { latest: Math.min(lease, latest), call };
        const reply = await this.#runner.run("commit", base, args, limits);
        const [, before, createdAt, now] = reply.values.map(String);
        const isTheirs = reply.status === "applied" && now === encodePart(userId);
        return {
          reply,
          createdAt: isTheirs && before !== undefined ? Number(createdAt) : undefined,
        };
      });
    const reply =
      limit === undefined
        ? await enter(Number.POSITIVE_INFINITY)
        : await this.#holdUser(userId, limit, call, async (latest) => {
            const check = await this.#runner.run("commit", base, args, { flags: "c", call });
            if (check.status !== "fits") return check;
            const victims = await this.#overLimit(userId, limit, id, call);
            if (victims === undefined) return { ...check, status: "refused", values: ["user"] };
            await this.#evict(userId, victims, call);
            return enter(latest);
          });
    // The user that the session had before.
    if (reply.status === "applied") await this.#index.follow([this.#shards.ofSession(id)]);
    return reply;
  }

  /** Ends sessions of one user in their shards; answers those that were ended. */
  async endMembers(
    userId: string,
    ids: readonly string[],
    reason: EndReason,
    except: string,
    call: StoreCall,
  ): Promise<string[]> {
    const parts = this.#shards.group(ids, (id) => id);
    const replies = await Promise.all(
      [...parts].map(([shard, part]) => {
        const coded = part.map(encodeText);
        const args = [encodePart(userId), except, reason, coded.length, ...coded];
        return this.#runner.run("endUser", this.#shards.base(shard), args, { call });
      }),
    );
    await this.#index.follow(parts.keys());
    return replies.flatMap(({ values }) => textsOf(values[0]).map(decodeText));
  }

  #holdUser<Result>(
    userId: string | undefined,
    limit: UserLimit | undefined,
    call: StoreCall,
    work: (latest: number) => Promise<Result>,
  ): Promise<Result> {
    if (userId === undefined || limit === undefined) return work(Number.POSITIVE_INFINITY);
    const base = this.#shards.base(this.#shards.ofUser(userId));
    return this.#lock.hold(base, `ul:${encodePart(userId)}`, call, work);
  }

  #holdRoom<Result>(
    maxSessions: number | undefined,
    call: StoreCall,
    work: (latest: number) => Promise<Result>,
  ): Promise<Result> {
    if (maxSessions === undefined) return work(Number.POSITIVE_INFINITY);
    return this.#lock.hold(this.#shards.base(0), "room", call, work);
  }

  /** Which sessions of a user have to end so that one more fits; undefined: it is refused. */
  async #overLimit(
    userId: string | undefined,
    limit: UserLimit | undefined,
    self: string,
    call: StoreCall,
  ): Promise<readonly Member[] | undefined> {
    if (userId === undefined || limit === undefined) return [];
    const others = (await this.#index.live(userId, call)).filter(({ id }) => id !== self);
    if (others.length < limit.max) return [];
    if (limit.policy === "reject") return undefined;
    const time = limit.policy === "evict-oldest" ? "createdAt" : "lastAccessTime";
    return others
      .sort((left, right) => left[time] - right[time] || (left.id < right.id ? -1 : 1))
      .slice(0, others.length - limit.max + 1);
  }

  async #evict(
    userId: string | undefined,
    victims: readonly Member[],
    call: StoreCall,
  ): Promise<void> {
    if (userId === undefined || victims.length === 0) return;
    const ids = victims.map(({ id }) => id);
    await this.endMembers(userId, ids, "limit", "-", call);
  }

  /** Makes room for one session beside the room that `leaving` ones will make; false: nobody had to go. */
  async #makeRoom(max: number | undefined, leaving: number): Promise<boolean> {
    if (max === undefined) return true;
    for (let round = 0; round < MOST; round++) {
      const rooms = await Promise.all(
        this.#shards.all.map((shard) => this.#runner.run("room", this.#shards.base(shard), [])),
      );
      const sum = (index: number): number =>
        rooms.reduce((total, { values }) => total + Number(values[index]), 0);
      const missing = sum(0) - leaving + 1 - max;
      if (missing <= 0) return true;
      if (round === 0) {
        // What is due goes first.
        for (const shard of this.#shards.all) {
          await this.#runner.run("sweep", this.#shards.base(shard), [MOST]);
        }
        await this.#index.follow(this.#shards.all);
        continue;
      }
      if (missing > Math.min(sum(1), MOST)) return false;
      const victim = oldest(rooms, 2) ?? oldest(rooms, 3);
      if (victim === undefined) return false;
      const base = this.#shards.base(victim.shard);
      await this.#runner.run("end", base, [victim.id, "limit", "-"]);
    }
    return false;
  }

  #createdAt({ values }: ScriptReply): number | undefined {
    const fields = textsOf(values[0]);
    const moving = fields[fields.indexOf("t") + 1];
    return moving === undefined ? undefined : Number(moving.split(" ")[5]);
  }
}

function oldest(
  rooms: readonly ScriptReply[],
  index: number,
): { readonly id: string; readonly shard: number } | undefined {
  let first: { readonly id: string; readonly shard: number; readonly time: number } | undefined;
  for (const [shard, { values }] of rooms.entries()) {
    const [id, score] = textsOf(values[index]);
    if (id === undefined) continue;
    const time = Number(score);
    if (first === undefined || time < first.time) first = { id, shard, time };
  }
  return first;
}
