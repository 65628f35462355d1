import { isSessionError, SessionError, type SessionErrorCode } from "@kyb/session-core/store";
import { NEWER_SCHEMA, WRONG_ENCODING } from "./schema/migration.ts";

/** What PostgreSQL's SQLSTATE, or its first two characters, means for the store, and what an operator can do. */
const MEANINGS: Readonly<Record<string, readonly [SessionErrorCode, string]>> = {
  "28P01": [
    "STORE_MISCONFIGURED",
    "PostgreSQL refused the password. Look at the pool's user and password.",
  ],
  "28": [
    "STORE_MISCONFIGURED",
    "PostgreSQL refused the user. Look at the pool's user and at pg_hba.conf.",
  ],
  "3D": ["STORE_MISCONFIGURED", "The database does not exist. Look at the pool's database."],
  "3F": [
    "STORE_MISCONFIGURED",
    "The schema does not exist. Run `await store.migrate()`, or look at the option schema.",
  ],
  "42501": [
    "STORE_MISCONFIGURED",
    "The database user may not make or use the store's tables and functions. `await store.migrate()` needs the right to create in the schema; for the rest, grant what the user has that ran it.",
  ],
  // Whatever else is wrong with the names or types of what the store asks for.
  "42": [
    "STORE_MISCONFIGURED",
    "The store's tables or functions are missing or not as they should be. Run `await store.migrate()`, or look at the options schema and table.",
  ],
  [WRONG_ENCODING]: [
    "STORE_MISCONFIGURED",
    "The database must be encoded in UTF8. Create one with ENCODING 'UTF8', then run `await store.migrate()`.",
  ],
  [NEWER_SCHEMA]: [
    "STORE_MISCONFIGURED",
    "The tables are those of a newer version of @kyb/session-postgres. Update this program, or give it a schema of its own and run `await store.migrate()`.",
  ],
  "25006": [
    "STORE_UNAVAILABLE",
    "PostgreSQL takes no writes here: the pool reached a standby. Connect it to the primary.",
  ],
  "40": [
    "STORE_UNAVAILABLE",
    "Other transactions came between again and again until the time was up.",
  ],
  "53100": ["STORE_FULL", "PostgreSQL's disk is full."],
  "53200": ["STORE_FULL", "PostgreSQL is out of memory."],
  "53300": ["STORE_UNAVAILABLE", "PostgreSQL has no free connection."],
  "57014": ["STORE_UNAVAILABLE", "The statement was cancelled before it was done."],
  "57": ["STORE_UNAVAILABLE", "PostgreSQL is shutting down or starting up."],
};

/** An error of the driver as one of ours, which keeps it as its cause. One of ours stays as it is. */
export function translated(error: unknown): SessionError {
  if (isSessionError(error)) return error;
  const state = sqlState(error) ?? "";
  const [code, message] = MEANINGS[state] ??
    MEANINGS[state.slice(0, 2)] ?? [
      "STORE_UNAVAILABLE",
      "PostgreSQL could not be asked, or could not do it.",
    ];
  return new SessionError(code, message, { cause: error });
}

/** Whether the transaction was undone for the sake of another one, so that it can be made again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/** SQLSTATE of an error that PostgreSQL itself reported. A socket's code, such as ECONNREFUSED, is none. */
function sqlState(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  const { code } = error;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
