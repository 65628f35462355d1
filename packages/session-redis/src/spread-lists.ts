import {
  isSessionError,
  lifecycle,
  type SessionRecord,
  type StoreCall,
  type StorePage,
  type StoreQuery,
} from "@kyb/session-core/store";
import { formatListCursor, type ListPlace, parseListCursor } from "./cursor.ts";
import { listArguments, MAX_MISSES } from "./list-arguments.ts";
import { textsOf } from "./reply.ts";
import type { ScriptReply, ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import type { SpreadIndex } from "./spread-index.ts";
import { decodeText, encodeText } from "./text-code.ts";

/** How often a list of one user is read again because a revocation of the user was under way. */
const TRIES = 25;
/** Sessions of one user that are put in order by last access, which no index knows. */
const MOST_SORTED = 10_000;
const PIECE = 500;

interface Row {
  readonly id: string;
  readonly time: number;
}

type Find = (id: string) => Promise<SessionRecord | undefined>;

/** Pages of lists where sessions are spread over shards. */
export class SpreadLists {
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #index: SpreadIndex;
  readonly #find: Find;

  /** `find` answers also what is due and what has ended; forgotten ones it does not. */
  constructor(shards: Shards, runner: ScriptRunner, index: SpreadIndex, find: Find) {
    this.#shards = shards;
    this.#runner = runner;
    this.#index = index;
    this.#find = find;
  }

  async list(query: StoreQuery, call: StoreCall): Promise<StorePage> {
    const start = query.cursor === undefined ? undefined : parseListCursor(query, query.cursor);
    const { search, userId } = query;
    if (search !== undefined && start === undefined) {
      const record = await this.#readable(search);
      if (record !== undefined) {
        const records = this.#matches(record, query) && query.offset === 0 ? [record] : [];
        return { records, nextCursor: undefined, total: undefined };
      }
    }
    if (userId === undefined || search !== undefined) return this.#listAll(query, start, call);
    for (let tries = 1; ; tries++) {
      const before = await this.#index.members(userId, "look", call);
      const page = await this.#listUser(query, userId, start, call);
      const after = await this.#index.members(userId, "look", call);
      // A page that a revocation overlapped may show some of what ended together.
      if ((before.isQuiet && before.state === after.state) || tries === TRIES) return page;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Every shard answers the beginning of its part; together they are the page. */
  async #listAll(
    query: StoreQuery,
    start: ListPlace | undefined,
    call: StoreCall,
  ): Promise<StorePage> {
    const skip = start?.skip ?? query.offset;
    const want = skip + query.limit + 1;
    const misses = Math.max(50, Math.ceil(MAX_MISSES / this.#shards.count));
    const args = listArguments(query, start, { want, skip: 0, full: false, misses });
    const replies = await Promise.all(
      this.#shards.all.map((shard) =>
        this.#runner.run("list", this.#shards.base(shard), args, { call }),
      ),
    );
    await this.#index.follow(this.#shards.all.filter((_, shard) => replies[shard] !== undefined));
    const compare = comparison(query);
    const stops = replies.flatMap(({ values }) => rowOf(textsOf(values[2])) ?? []).sort(compare);
    const [stop] = stops;
    const rows = replies
      .flatMap(rowsOf)
      .filter((row) => stop === undefined || compare(row, stop) <= 0)
      .sort(compare);
    const page = rows.slice(skip, skip + query.limit);
    const records = await this.#records(page, query);
    const total = replies.reduce((sum, { values }) => sum + Number(values[1]), 0);
    return {
      records,
      nextCursor: this.#next(query, rows, page, skip, stop),
      total: query.search === undefined ? total : undefined,
    };
  }

  #next(
    query: StoreQuery,
    rows: readonly Row[],
    page: readonly Row[],
    skip: number,
    stop: Row | undefined,
  ): string | undefined {
    const last = page.at(-1);
    if (last !== undefined && rows.length > skip + page.length) {
      return formatListCursor(query, { ...last, skip: 0 });
    }
    if (stop === undefined) return undefined;
    return formatListCursor(query, { ...stop, skip: Math.max(0, skip - rows.length) });
  }

  async #listUser(
    query: StoreQuery,
    userId: string,
    start: ListPlace | undefined,
    call: StoreCall,
  ): Promise<StorePage> {
    const base = this.#shards.base(this.#shards.ofUser(userId));
    const isByAccess = query.sort === "lastAccessTime";
    const chosen: { readonly row: Row; readonly record: SessionRecord }[] = [];
    const wanted = isByAccess ? MOST_SORTED : (start?.skip ?? query.offset) + query.limit + 1;
    let total = 0;
    // By creation the index has the order. By last access every session of the user is looked at.
    let place: ListPlace | undefined = isByAccess ? undefined : start;
    for (;;) {
      const want = isByAccess ? PIECE : wanted - chosen.length;
      const ordered = { ...query, sort: "createdAt" as const };
      const args = listArguments(ordered, place, { want, skip: 0, full: false, misses: want });
      const reply = await this.#runner.run("list", base, args, { flags: "i", call });
      total = Number(reply.values[1]);
      const rows = rowsOf(reply);
      const records = await Promise.all(rows.map(({ id }) => this.#readable(id)));
      for (const [index, row] of rows.entries()) {
        const record = records[index];
        if (record === undefined || !this.#matches(record, query)) continue;
        const time = isByAccess ? record.lastAccessTime : row.time;
        chosen.push({ row: { id: row.id, time }, record });
      }
      const last = rows.at(-1);
      if (rows.length < want || last === undefined || chosen.length >= wanted) break;
      place = { ...last, skip: 0 };
    }
    const compare = comparison(query);
    const rest = chosen
      .filter(({ row }) => start === undefined || compare(row, start) > 0)
      .sort((left, right) => compare(left.row, right.row));
    const skip = start?.skip ?? query.offset;
    const page = rest.slice(skip, skip + query.limit);
    const last = page.at(-1)?.row;
    const isLast = rest.length <= skip + page.length || last === undefined;
    return {
      records: page.map(({ record }) => record),
      nextCursor: isLast ? undefined : formatListCursor(query, { ...last, skip: 0 }),
      total,
    };
  }

  async #records(rows: readonly Row[], query: StoreQuery): Promise<SessionRecord[]> {
    const records = await Promise.all(rows.map(({ id }) => this.#readable(id)));
    // What ended between the two looks is on another list now.
    return records.flatMap((record) =>
      record !== undefined && this.#matches(record, { ...query, search: undefined }) ? record : [],
    );
  }

  #matches(record: SessionRecord, { status, userId }: StoreQuery): boolean {
    if (userId !== undefined && record.state.userId !== userId) return false;
    if (status === "ended") return record.endedAt !== undefined;
    return status === "all" || lifecycle(record, this.#runner.now()) === "live";
  }

  /** One that cannot be read is left out: it must not keep the others from being seen. */
  async #readable(id: string): Promise<SessionRecord | undefined> {
    try {
      return await this.#find(id);
    } catch (error) {
      if (isSessionError(error) && error.code === "RECORD_UNREADABLE") return undefined;
      throw error;
    }
  }
}

function rowsOf({ values }: ScriptReply): Row[] {
  const rows = Array.isArray(values[0]) ? values[0] : [];
  return rows.flatMap(
    (row: unknown) => rowOf(Array.isArray(row) ? row.slice(0, 2).map(String) : []) ?? [],
  );
}

function rowOf([id, time]: readonly string[]): Row | undefined {
  return id === undefined ? undefined : { id: decodeText(id), time: Number(time) };
}

function comparison({ direction }: StoreQuery): (left: Row, right: Row) => number {
  const step = direction === "descending" ? -1 : 1;
  return (left, right) => step * (left.time - right.time || compareCodes(left.id, right.id));
}

/** As the indexes order them: by the bytes of the encoded ids. */
function compareCodes(left: string, right: string): number {
  const [a, b] = [encodeText(left), encodeText(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}
