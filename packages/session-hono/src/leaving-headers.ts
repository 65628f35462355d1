import type { ResponseHead } from "@kyb/session-core";
import type { NodeOutgoing } from "./node-host.ts";

/**
 * The headers of a response that is about to leave: those set one by one, and those given to `writeHead`, which is how
 * Hono's server gives all of them and which count. What is written joins the latter, in a copy: the object may be the
 * application's own. (To set all of them one by one would cost half a microsecond.)
 */
export class LeavingHeaders implements ResponseHead {
  readonly #outgoing: NodeOutgoing;
  readonly #values: unknown[];
  #given: Record<string, unknown> | undefined;

  /** `values` are the arguments of `writeHead`. */
  constructor(outgoing: NodeOutgoing, values: unknown[]) {
    this.#outgoing = outgoing;
    this.#values = values;
  }

  /** The arguments for `writeHead` as they are now. */
  get values(): unknown[] {
    if (this.#given === undefined) return this.#values;
    const [status, reason] = this.#values;
    return typeof reason === "string" ? [status, reason, this.#given] : [status, this.#given];
  }

  get(name: string): string | undefined {
    const value = this.#find(name);
    if (value === undefined) return undefined;
    return Array.isArray(value) ? value.join(", ") : String(value);
  }

  set(name: string, value: string): void {
    const given = this.#headers;
    given[keyOf(given, name) ?? name] = value;
  }

  append(name: string, value: string): void {
    const given = this.#headers;
    const before = this.#find(name);
    const values = before === undefined ? [] : Array.isArray(before) ? before : [String(before)];
    given[keyOf(given, name) ?? name] = [...values, value];
  }

  get #headers(): Record<string, unknown> {
    this.#given ??= toRecord(this.#values.at(-1));
    return this.#given;
  }

  #find(name: string): unknown {
    const given = this.#headers;
    const key = keyOf(given, name);
    return key === undefined ? this.#outgoing.getHeader(name) : given[key];
  }
}

/** The same name in whatever case the headers have it. */
function keyOf(headers: object, name: string): string | undefined {
  const lower = name.toLowerCase();
  for (const key in headers) {
    if (key.length === lower.length && key.toLowerCase() === lower) return key;
  }
  return undefined;
}

/** A copy of headers: of an object; or of a list of names and values, in which a name may stand more than once. */
function toRecord(headers: unknown): Record<string, unknown> {
  if (typeof headers !== "object" || headers === null) return {};
  if (!Array.isArray(headers)) return { ...headers };
  const record: Record<string, unknown[]> = {};
  const list = headers.flat();
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = String(list[at]);
    const key = keyOf(record, name) ?? name;
    record[key] = [...(record[key] ?? []), list[at + 1]];
  }
  return record;
}
