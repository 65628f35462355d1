import { describe } from "./duration.ts";
import { SessionError } from "./errors.ts";
import type { ActivityQuery as StoreActivityQuery, StoreQuery } from "./store-query.ts";

/** Most items of a page. */
export const MAX_LIMIT = 1000;
/** Items on a page when nothing was said. */
export const DEFAULT_LIMIT = 50;
/** Furthest that an offset may reach; beyond it, cursors do. */
export const MAX_OFFSET = 10_000;
/** Longest text that is searched for. */
const MAX_TEXT = 256;

/** What to list. A property that is present must not be undefined: it would silently list everybody. */
export interface SessionQuery {
  userId?: string;
  /** Default `'active'`. */
  status?: "active" | "ended" | "all";
  /** An exact id, an exact address, or the beginning of a user id. */
  search?: string;
  /** `-` for newest first. Default `'-createdAt'`. */
  sort?: "createdAt" | "-createdAt" | "lastAccessTime" | "-lastAccessTime";
  /** 1 to 1000. Default 50. */
  limit?: number;
  /** 0 to 10,000. Default 0. Not together with a cursor. */
  offset?: number;
  cursor?: string;
}

/** Which part of a timeline. */
export interface ActivityQuery {
  /** 1 to 1000. Default 50. */
  limit?: number;
  /** 0 to 10,000. Default 0. Not together with a cursor. */
  offset?: number;
  cursor?: string;
}

const SORTS = ["createdAt", "-createdAt", "lastAccessTime", "-lastAccessTime"] as const;
const STATUSES = ["active", "ended", "all"] as const;
const SESSION_KEYS: ReadonlySet<string> = new Set([
  "userId",
  "status",
  "search",
  "sort",
  "limit",
  "offset",
  "cursor",
]);
const ACTIVITY_KEYS: ReadonlySet<string> = new Set(["limit", "offset", "cursor"]);

/** Checks and completes a query. Throws `INVALID_ARGUMENT` naming the property. */
export function resolveSessionQuery(query: SessionQuery): StoreQuery {
  const given = properties(query, SESSION_KEYS);
  const sort = choice("sort", given.sort ?? "-createdAt", SORTS);
  return {
    userId: text("userId", given.userId),
    status: choice("status", given.status ?? "active", STATUSES),
    search: text("search", given.search),
    sort: sort.endsWith("createdAt") ? "createdAt" : "lastAccessTime",
    direction: sort.startsWith("-") ? "descending" : "ascending",
    ...range(given),
  };
}

/** Checks and completes a query. Throws `INVALID_ARGUMENT` naming the property. */
export function resolveActivityQuery(query: ActivityQuery): StoreActivityQuery {
  return range(properties(query, ACTIVITY_KEYS));
}

function properties(query: object, known: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  for (const [key, value] of Object.entries(query)) {
    if (!known.has(key))
      throw new SessionError("INVALID_ARGUMENT", `A query has no property "${key}".`);
    if (value === undefined || value === null) {
      throw new SessionError("INVALID_ARGUMENT", `${key} is ${value}; leave it out to mean "any".`);
    }
  }
  return query as Readonly<Record<string, unknown>>;
}

function range(given: Readonly<Record<string, unknown>>): StoreActivityQuery {
  const cursor = text("cursor", given.cursor, 1024);
  const offset = count("offset", given.offset ?? 0, 0, MAX_OFFSET);
  if (cursor !== undefined && offset > 0) {
    throw new SessionError("INVALID_ARGUMENT", "offset and cursor exclude each other.");
  }
  return { limit: count("limit", given.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT), offset, cursor };
}

function count(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most)
    return value;
  const more = name === "offset" ? "; use cursor to go further" : "";
  throw new SessionError(
    "INVALID_ARGUMENT",
    `${name} must be a whole number from ${least} to ${most}, got ${describe(value)}${more}.`,
  );
}

function text(name: string, value: unknown, most = MAX_TEXT): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= most) return value;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `${name} must be a text of 1 to ${most} characters, got ${describe(value)}.`,
  );
}

function choice<Value extends string>(
  name: string,
  value: unknown,
  values: readonly Value[],
): Value {
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new SessionError(
    "INVALID_ARGUMENT",
    `${name} must be one of ${values.join(", ")}, got ${describe(value)}.`,
  );
}
