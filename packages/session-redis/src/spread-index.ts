import type { StoreCall } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { storeError } from "./driver-errors.ts";
import { textsOf } from "./reply.ts";
import type { ScriptReply, ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import { decodePart, decodeText, encodePart, encodeText } from "./text-code.ts";

/** Milliseconds that a place is reserved: a record is not written later. */
const LEASE = 10_000;
/** Milliseconds after a lease in which the clocks of two nodes may differ. */
const CLOCK_ERROR = 5000;
/** Sessions whose index entries follow in one step. */
const STEP = 200;
/** Ended sessions that one step forgets. */
export const FORGET_STEP = 200;

/** What a member of a user's index is. */
export interface Member {
  readonly id: string;
  readonly createdAt: number;
  readonly lastAccessTime: number;
}

/** What became of a write under a reservation: the session is the user's, or it is not. */
export interface Written {
  readonly reply: ScriptReply;
  /** Creation of the session that is now this user's; undefined: it is not. */
  readonly createdAt: number | undefined;
}

/**
 * The users' indexes where sessions are spread over shards, so that a user's index lies in another slot than the
 * sessions in it.
 *
 * The order of steps is what keeps them right: a place in the index is reserved, the record is written, the reservation
 * becomes a member, and only then the caller hears of it. A record is ended before its entry goes. Whatever dies in
 * between leaves an entry too many, never one too few; {@link heal} and {@link follow} put it right.
 */
export class SpreadIndex {
  readonly #connection: RedisConnection;
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;

  constructor(connection: RedisConnection, shards: Shards, runner: ScriptRunner) {
    this.#connection = connection;
    this.#shards = shards;
    this.#runner = runner;
  }

  /** Writes a session's record while its place in the user's index is reserved. */
  async enter(
    userId: string,
    id: string,
    call: StoreCall,
    write: (latest: number) => Promise<Written>,
  ): Promise<ScriptReply> {
    const base = this.#userBase(userId);
    const place = [encodePart(userId), encodeText(id), crypto.randomUUID()];
    const { values } = await this.#runner.run("reserve", base, [...place, LEASE], { call });
    // If this fails nobody knows whether the record was written: the reservation stays until the sweep has looked.
    const { reply, createdAt } = await write(Number(values[0]));
    await this.#runner.run("confirm", base, [...place, createdAt ?? "-"], { call });
    return reply;
  }

  /** Live sessions of a user. Entries of others that are met go. */
  async live(userId: string, call: StoreCall): Promise<Member[]> {
    const args = [encodePart(userId), "all"];
    const { values } = await this.#runner.run("members", this.#userBase(userId), args, { call });
    const found = await this.#peek(encodePart(userId), textsOf(values[0]), call);
    const stale = found.filter(({ state }) => state !== "live");
    await this.remove(
      userId,
      stale.map(({ id, state, createdAt }) => [
        encodeText(id),
        state === "ended" ? "ended" : "moved",
        createdAt,
      ]),
    );
    return found.filter(({ state }) => state === "live");
  }

  /** All that a revocation has to look at, by shard; and whether one is under way, in a text that changes with each. */
  async members(
    userId: string,
    step: "begin" | "end" | "look",
    call: StoreCall,
  ): Promise<{ ids: string[]; state: string; isQuiet: boolean }> {
    const args = [encodePart(userId), step];
    const { values } = await this.#runner.run("members", this.#userBase(userId), args, { call });
    return {
      ids: textsOf(values[0]).map(decodeText),
      state: String(values[1]),
      isQuiet: values[2] === "1",
    };
  }

  /** Takes sessions out of a user's index; each is its encoded id, how it went, and its creation. */
  async remove(
    userId: string,
    moves: readonly (readonly [id: string, how: "ended" | "moved", createdAt: number])[],
  ): Promise<void> {
    if (moves.length === 0) return;
    const user = encodePart(userId);
    const args = moves.flatMap(([id, how, createdAt]) => [id, how, user, createdAt]);
    await this.#runner.run("unindex", this.#userBase(userId), args);
  }

  /** Lets the index entries of a shard's ended and forgotten sessions follow them. */
  async follow(shards: Iterable<number>): Promise<void> {
    await Promise.all(Array.from(new Set(shards), (shard) => this.#follow(shard)));
  }

  /** Looks after reservations whose caller died: what was written becomes a member, the rest goes. */
  async heal(shard: number): Promise<void> {
    const base = this.#shards.base(shard);
    const { values } = await this.#runner.run("expired", base, [CLOCK_ERROR, STEP]);
    for (const reservation of textsOf(values[0])) {
      const [user = "", id = "", op = ""] = reservation.split(" ");
      const [member] = await this.#peek(user, [id]);
      const createdAt = member?.state === "live" ? member.createdAt : "-";
      await this.#runner.run("confirm", base, [user, id, op, createdAt]);
    }
  }

  /** Forgets so many of the sessions that ended first, at most {@link FORGET_STEP} with each call. */
  async forgetOldest(count: number): Promise<void> {
    const excess = Math.min(count, FORGET_STEP);
    if (excess <= 0) return;
    const replies = await Promise.all(
      this.#shards.all.map((shard) =>
        this.#runner.run("oldestEnded", this.#shards.base(shard), [excess]),
      ),
    );
    const rows = replies.flatMap(({ values }) => {
      const texts = textsOf(values[0]);
      return texts.flatMap((id, index) =>
        index % 2 === 0 ? [{ id, endedAt: Number(texts[index + 1]) }] : [],
      );
    });
    rows.sort((left, right) => left.endedAt - right.endedAt);
    const parts = this.#shards.group(rows.slice(0, excess), ({ id }) => decodeText(id));
    await Promise.all(
      [...parts].map(([shard, part]) => {
        const ids = part.map(({ id }) => id);
        return this.#runner.run("forget", this.#shards.base(shard), ids);
      }),
    );
    await this.follow(parts.keys());
  }

  /** Users who were seen just now, as the scripts name them. */
  async seen(users: Iterable<string>): Promise<void> {
    const second = String(Math.floor(this.#runner.now() / 1000));
    const parts = new Map<string, string[]>();
    for (const user of new Set(users)) {
      const key = `${this.#userBase(decodePart(user) ?? "")}au`;
      const part = parts.get(key) ?? ["ZADD", key, "GT"];
      part.push(second, user);
      parts.set(key, part);
    }
    try {
      await Promise.all([...parts].map(([key, args]) => this.#connection.send(key, args)));
    } catch (error) {
      throw storeError(error);
    }
  }

  #userBase(userId: string): string {
    return this.#shards.base(this.#shards.ofUser(userId));
  }

  async #follow(shard: number): Promise<void> {
    const base = this.#shards.base(shard);
    for (;;) {
      const { values } = await this.#runner.run("moves", base, [STEP]);
      const moves = textsOf(values[0]);
      if (moves.length === 0) return;
      const parts = new Map<number, string[]>();
      for (let index = 0; index + 1 < moves.length; index += 2) {
        const [id = "", user = ""] = (moves[index] as string).split(" ");
        const [how = "", createdAt = ""] = (moves[index + 1] as string).split(" ");
        const owner = this.#shards.ofUser(decodePart(user) ?? "");
        const part = parts.get(owner) ?? [];
        part.push(id, how, user, createdAt);
        parts.set(owner, part);
      }
      await Promise.all(
        [...parts].map(([owner, args]) =>
          this.#runner.run("unindex", this.#shards.base(owner), args),
        ),
      );
      await this.#runner.run("moved", base, moves);
    }
  }

  /** `user` and `ids` as the scripts name them. */
  async #peek(
    user: string,
    ids: readonly string[],
    call?: StoreCall,
  ): Promise<(Member & { readonly state: string })[]> {
    const parts = this.#shards.group(ids, decodeText);
    const replies = await Promise.all(
      [...parts].map(([shard, part]) =>
        this.#runner.run("peek", this.#shards.base(shard), [user, ...part], { call }),
      ),
    );
    return replies.flatMap(({ values }) =>
      (Array.isArray(values[0]) ? values[0] : []).map((row: unknown) => {
        const [id = "", state = "", createdAt, lastAccessTime] = textsOf(row);
        return {
          id: decodeText(id),
          state,
          createdAt: Number(createdAt),
          lastAccessTime: Number(lastAccessTime),
        };
      }),
    );
  }
}
