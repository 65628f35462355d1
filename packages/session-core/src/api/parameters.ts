import { describe } from "../duration.ts";
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, type SessionQuery } from "../query.ts";
import { ApiError } from "./api-error.ts";

/** The parameters of one request, each at most once. */
export type Parameters = ReadonlyMap<string, string>;

/** Which part of a list. */
export interface Range {
  readonly limit: number;
  readonly offset: number;
  readonly cursor?: string;
}

/** Longest id or text to search for. */
const MAX_TEXT = 256;
const MAX_CURSOR = 1024;

/** The names of the API and what they are called inside. */
const SORTS = {
  created_at: "createdAt",
  "-created_at": "-createdAt",
  last_access_time: "lastAccessTime",
  "-last_access_time": "-lastAccessTime",
} as const;
const STATUSES = { active: "active", ended: "ended", all: "all" } as const;

/**
 * Reads the query string. A parameter that the route does not know, or that is given twice, is refused by name: to
 * ignore it could mean to answer, or to end, more than was asked for.
 */
export function readParameters(url: string, known: readonly string[]): Parameters {
  const start = url.indexOf("?");
  const query = start === -1 ? "" : (url.slice(start + 1).split("#", 1)[0] ?? "");
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.includes(name)) {
      const list = known.length === 0 ? "there are none" : `known are ${known.join(", ")}`;
      throw invalid(`${describe(name)} is not a parameter of this route; ${list}.`);
    }
    if (found.has(name)) throw invalid(`${name} is given twice.`);
    found.set(name, value);
  }
  return found;
}

/** The value of a parameter that is text; undefined where it is not given. */
export function text(
  parameters: Parameters,
  name: string,
  most: number = MAX_TEXT,
): string | undefined {
  const value = parameters.get(name);
  if (value === undefined || (value !== "" && value.length <= most)) return value;
  throw invalid(`${name} must be a text of 1 to ${most} characters.`);
}

/** The value of a parameter that must be there. */
export function requiredText(parameters: Parameters, name: string): string {
  const value = text(parameters, name);
  if (value === undefined) throw invalid(`${name} is missing.`);
  return value;
}

/** `limit`, `offset` and `cursor`. That the last two exclude each other is for the manager to say. */
export function readRange(parameters: Parameters): Range {
  const limit = count(parameters, "limit", 1, MAX_LIMIT) ?? DEFAULT_LIMIT;
  const offset = count(parameters, "offset", 0, MAX_OFFSET) ?? 0;
  const cursor = text(parameters, "cursor", MAX_CURSOR);
  return cursor === undefined ? { limit, offset } : { limit, offset, cursor };
}

/** What to list, but for whose sessions, which authorization decides. */
export function readListQuery(parameters: Parameters): Omit<SessionQuery, "userId"> & Range {
  const search = text(parameters, "q");
  return {
    ...readRange(parameters),
    ...(search === undefined ? {} : { search }),
    status: choice(parameters, "status", STATUSES) ?? "active",
    sort: choice(parameters, "sort", SORTS) ?? "-createdAt",
  };
}

/** The error for a parameter that cannot be used; the message names it. */
export function invalid(message: string): ApiError {
  return new ApiError("INVALID_PARAMETER", message);
}

function count(
  parameters: Parameters,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  const more = name === "offset" ? "; to go further, pass next_cursor on as cursor" : "";
  throw invalid(`${name} must be a whole number from ${least} to ${most}${more}.`);
}

function choice<Value>(
  parameters: Parameters,
  name: string,
  values: Readonly<Record<string, Value>>,
): Value | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  const found = Object.hasOwn(values, value) ? values[value] : undefined;
  if (found === undefined)
    throw invalid(`${name} must be one of ${Object.keys(values).join(", ")}.`);
  return found;
}
