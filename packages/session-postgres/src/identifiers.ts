import { SessionError } from "@kyb/session-core/store";

/** Letters, digits and underscores; short enough that the longest name made of it stays below PostgreSQL's 63 bytes. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

/** The names of everything that `migrate()` makes: qualified, quoted, ready to stand in SQL. */
export interface Names {
  /** The schema by itself, as a string to compare with. */
  readonly schema: string;
  readonly quotedSchema: string;
  /** The table of the sessions by itself; all other names begin with it. */
  readonly table: string;
  readonly sessions: string;
  readonly activity: string;
  readonly counters: string;
  readonly windows: string;
  readonly endpoints: string;
  readonly users: string;
  readonly batches: string;
  readonly events: string;
  readonly peak: string;
  readonly meta: string;
  /** The name of a function. */
  readonly fn: (name: string) => string;
  /** The name of an index, which lives in its table's schema and is never qualified. */
  readonly index: (name: string) => string;
  /** Two numbers of an advisory lock, as SQL; the second one is a SQL expression. */
  readonly lock: (key: string) => string;
}

/** Throws `INVALID_CONFIG` naming the option, unless both names are plain identifiers. */
export function namesOf(schema: string, table: string): Names {
  checkName("schema", schema);
  checkName("table", table);
  const qualified = (name: string): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  const part = (name: string): string => qualified(`${table}_${name}`);
  return {
    schema,
    quotedSchema: quoteIdentifier(schema),
    table,
    sessions: qualified(table),
    activity: part("activity"),
    counters: part("counters"),
    windows: part("windows"),
    endpoints: part("endpoints"),
    users: part("users"),
    batches: part("batches"),
    events: part("events"),
    peak: part("peak"),
    meta: part("meta"),
    fn: part,
    index: (name) => quoteIdentifier(`${table}_${name}`),
    lock: (key) => `pg_catalog.hashtextextended(${key}, pg_catalog.hashtext('${schema}.${table}'))`,
  };
}

/** A name as SQL takes it literally, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function checkName(option: string, value: unknown): void {
  if (typeof value === "string" && NAME.test(value)) return;
  const got = typeof value === "string" ? JSON.stringify(value) : typeof value;
  throw new SessionError(
    "INVALID_CONFIG",
    `postgresStore: ${option} must be 1 to 40 letters, digits or underscores that do not begin with a digit, got ${got}.`,
  );
}
