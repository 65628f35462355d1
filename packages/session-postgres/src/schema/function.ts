import type { Names } from "../identifiers.ts";

/** Names of the ends in the order in which the counters hold them. */
export const END_REASONS = [
  "signed-out",
  "revoked",
  "idle",
  "absolute",
  "provisional",
  "limit",
  "reuse",
  "binding",
  "shutdown",
  "erased",
] as const;

/** A function of the store as SQL. */
export interface SqlFunction {
  readonly name: string;
  /** `p_name type, …` */
  readonly parameters: string;
  readonly returns: string;
  /** Declarations, then `BEGIN … END`. */
  readonly body: string;
  /** What stands between the head and the body, such as `SET extra_float_digits = 1`. */
  readonly options?: string;
}

/** The statement that installs a function. */
export function createFunction(
  { fn }: Names,
  { name, parameters, returns, body, options }: SqlFunction,
): string {
  return `CREATE FUNCTION ${fn(name)}(${parameters}) RETURNS ${returns}
LANGUAGE plpgsql ${options === undefined ? "" : `${options} `}AS $kyb$
${body.trim()}
$kyb$`;
}

/** The time by which a function works: that of the server, unless a test passes its own. */
export const NOW = "coalesce(p_now, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8)";

/** The row of the counters that this connection uses; connections of one pool have neighbouring numbers. */
export const SHARD = "pg_backend_pid() % 16";
