import type { StoreQuery } from "@kyb/session-core/store";
import type { Parameter } from "./connection.ts";
import type { Place } from "./cursor.ts";
import type { Names } from "./identifiers.ts";
import { encodeText, idText, prefixRange } from "./stored-text.ts";

/** Matches of a search up to which they are all sorted; above, sessions are looked at one after the other. */
export const FEW_MATCHES = 1000;
/** Sessions that one page may look at in vain when it does that; then its cursor carries on. */
export const MAX_WALK = 5000;
/** Sessions that are due and not ended yet, up to which a total does without them. */
const MAX_UNSWEPT = 10_000;
/** How much of a user id and an address is in an index. */
const USER_CUT = 200;
const ADDRESS_CUT = 100;

/** What a list depends on besides the query. */
export interface ListContext {
  readonly names: Names;
  /** Epoch milliseconds; null: the server's clock. */
  readonly now: number | null;
  readonly endedRetention: number;
  readonly place: Place | undefined;
}

export interface Statement {
  readonly text: string;
  readonly params: readonly Parameter[];
}

/** One page, and the total where there is one: `{ rows, total }`. The cost grows with offset and limit. */
export function pageStatement(query: StoreQuery, context: ListContext): Statement {
  return new ListSql(query, context).page();
}

/** How many sessions a search finds, up to one more than {@link FEW_MATCHES}. */
export function probeStatement(query: StoreQuery, context: ListContext): Statement {
  return new ListSql(query, context).probe();
}

/** One page of a search that finds much, as `{ rows, matched, walked, last }`. */
export function walkStatement(query: StoreQuery, context: ListContext): Statement {
  return new ListSql(query, context).walk();
}

/** Sessions of one kind, which have indexes of their own. */
type Kind = "live" | "ended";

class ListSql {
  readonly #query: StoreQuery;
  readonly #names: Names;
  readonly #place: Place | undefined;
  readonly #params: Parameter[] = [];
  readonly #context: ListContext;
  /** Column and direction of the order. */
  readonly #column: string;
  readonly #step: string;

  constructor(query: StoreQuery, context: ListContext) {
    this.#query = query;
    this.#context = context;
    this.#names = context.names;
    this.#place = context.place;
    this.#column = query.sort === "createdAt" ? "created_at" : "last_access";
    this.#step = query.direction === "descending" ? "DESC" : "ASC";
  }

  page(): Statement {
    const { search, limit } = this.#query;
    const end = `LIMIT ${limit + 1} OFFSET ${this.#skip}`;
    const page =
      search === undefined
        ? `${this.#inOrder(this.#skip + limit + 1)} ${end}`
        : `SELECT s.* FROM ${this.#names.sessions} s WHERE s.id IN (${this.#candidates().join(" UNION ")})
            AND ${this.#behindPlace()} ${this.#orderBy("s")} ${end}`;
    return this.#statement(`SELECT json_build_object(
      'rows', (SELECT coalesce(json_agg(row_to_json(p) ${this.#orderBy("p")}), '[]') FROM (${page}) p),
      'total', ${search === undefined ? this.#total() : "NULL"})`);
  }

  probe(): Statement {
    const some = this.#candidates().map((each) => `(${each} LIMIT ${FEW_MATCHES + 1})`);
    return this.#statement(
      `SELECT count(*)::float8 FROM (${some.join(" UNION ALL ")} LIMIT ${FEW_MATCHES + 1}) c`,
    );
  }

  walk(): Statement {
    const { limit } = this.#query;
    const backwards = this.#step === "ASC" ? "DESC" : "ASC";
    return this.#statement(`WITH walked AS MATERIALIZED (${this.#inOrder(MAX_WALK)} LIMIT ${MAX_WALK}),
      matched AS (SELECT * FROM walked s WHERE ${this.#matches()})
      SELECT json_build_object(
        'rows', (SELECT coalesce(json_agg(row_to_json(p) ${this.#orderBy("p")}), '[]') FROM (
          SELECT * FROM matched m ${this.#orderBy("m")} LIMIT ${limit + 1} OFFSET ${this.#skip}) p),
        'matched', (SELECT count(*) FROM matched),
        'walked', (SELECT count(*) FROM walked),
        'last', (SELECT row_to_json(l) FROM (
          SELECT w.id, w.${this.#column} FROM walked w ORDER BY w.${this.#column} ${backwards}, w.id ${backwards} LIMIT 1) l))`);
  }

  get #now(): string {
    return `coalesce(${this.#param(this.#context.now)}::float8, floor(extract(epoch FROM statement_timestamp()) * 1000)::float8)`;
  }

  get #retention(): string {
    return `${this.#param(this.#context.endedRetention)}::float8`;
  }

  get #skip(): number {
    return this.#place?.skip ?? this.#query.offset;
  }

  get #kinds(): readonly Kind[] {
    const { status } = this.#query;
    if (status === "all") return ["live", "ended"];
    return [status === "active" ? "live" : "ended"];
  }

  /** The first sessions behind the place, in order: each index gives its own, and the best of them are taken. */
  #inOrder(count: number): string {
    const parts = this.#kinds.flatMap((kind) => {
      const all = `${this.#isKind(kind)} AND ${this.#isUsers()} AND ${this.#behindPlace()}`;
      if (kind === "ended" || this.#column === "created_at" || this.#query.userId !== undefined) {
        return [all];
      }
      return [`${all} AND s.user_id IS NULL`, `${all} AND s.user_id IS NOT NULL`];
    });
    const lists = parts.map(
      (part) =>
        `(SELECT s.* FROM ${this.#names.sessions} s WHERE ${part} ${this.#orderBy("s")} LIMIT ${count})`,
    );
    return `SELECT * FROM (${lists.join(" UNION ALL ")}) u ${this.#orderBy("u")}`;
  }

  /** Queries for the ids of what a search finds, in no order and perhaps twice. */
  #candidates(): readonly string[] {
    const { search = "" } = this.#query;
    const [from, to] = prefixRange(
      Array.from(search)
        .slice(0, USER_CUT / 2)
        .join(""),
    );
    const id = `s.id = ${this.#param(idText(search))}`;
    const addressText = this.#param(encodeText(search));
    const address = `"left"(s.ip_address, ${ADDRESS_CUT}) = "left"(${addressText}, ${ADDRESS_CUT}) AND s.ip_address = ${addressText}`;
    const user = `"left"(s.user_id, ${USER_CUT}) >= ${this.#param(from)} AND "left"(s.user_id, ${USER_CUT}) < ${this.#param(to)}
      AND s.user_id IS NOT NULL AND starts_with(s.user_id, ${this.#param(encodeText(search).slice(0, -1))})`;
    return this.#kinds.flatMap((kind) =>
      [id, address, user].map(
        (found) =>
          `SELECT s.id FROM ${this.#names.sessions} s WHERE ${found} AND ${this.#isKind(kind)} AND ${this.#isUsers()}`,
      ),
    );
  }

  #matches(): string {
    const { search = "" } = this.#query;
    const address = this.#param(encodeText(search));
    const prefix = this.#param(encodeText(search).slice(0, -1));
    return `(s.id = ${this.#param(idText(search))} OR s.ip_address = ${address} OR starts_with(s.user_id, ${prefix}))`;
  }

  #isKind(kind: Kind): string {
    if (kind === "ended")
      return `s.ended_at IS NOT NULL AND s.ended_at > ${this.#now} - ${this.#retention}`;
    return this.#query.status === "all"
      ? "s.ended_at IS NULL"
      : `s.ended_at IS NULL AND s.due_at > ${this.#now}`;
  }

  #isUsers(): string {
    const { userId } = this.#query;
    if (userId === undefined) return "true";
    const text = encodeText(userId);
    const user = this.#param(text);
    // What is not cut says all; a second condition would mislead the planner about how many there are.
    const cut = `"left"(s.user_id, ${USER_CUT}) = "left"(${user}, ${USER_CUT})`;
    return text.length < USER_CUT ? cut : `${cut} AND s.user_id = ${user}`;
  }

  #behindPlace(): string {
    if (this.#place === undefined) return "true";
    const time = `${this.#param(this.#place.time)}::float8`;
    const id = `${this.#param(idText(this.#place.id))} COLLATE "C"`;
    return `(s.${this.#column}, s.id) ${this.#step === "ASC" ? ">" : "<"} (${time}, ${id})`;
  }

  #orderBy(alias: string): string {
    return `ORDER BY ${alias}.${this.#column} ${this.#step}, ${alias}.id ${this.#step}`;
  }

  #total(): string {
    const { sessions, counters } = this.#names;
    const { userId, status } = this.#query;
    if (userId !== undefined) {
      return this.#kinds
        .map(
          (kind) =>
            `(SELECT count(*) FROM ${sessions} s WHERE ${this.#isKind(kind)} AND ${this.#isUsers()})`,
        )
        .join(" + ");
    }
    const without = (rows: string): string =>
      `(SELECT count(*) FROM (SELECT 1 FROM ${sessions} s WHERE ${rows} LIMIT ${MAX_UNSWEPT}) d)`;
    const live = (): string => `(SELECT sum(c.live) FROM ${counters} c)`;
    const ended = (): string =>
      `(SELECT sum(c.ended) FROM ${counters} c) - ${without(`s.ended_at IS NOT NULL AND s.ended_at <= ${this.#now} - ${this.#retention}`)}`;
    if (status === "all") return `${live()} + ${ended()}`;
    if (status === "ended") return ended();
    return `${live()} - ${without(`s.ended_at IS NULL AND s.check_at <= ${this.#now} AND s.due_at <= ${this.#now}`)}`;
  }

  #param(value: Parameter): string {
    this.#params.push(value);
    const place = `$${this.#params.length}`;
    return typeof value === "string" ? `${place}::text` : place;
  }

  #statement(text: string): Statement {
    return { text, params: this.#params };
  }
}
