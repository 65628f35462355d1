import { isSessionError, SessionError, type SessionErrorCode } from "@kyb/session-core/store";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that the store can say something about. */
const CODES: Readonly<Record<string, number>> = {
  SQLITE_ERROR: 1,
  SQLITE_PERM: 3,
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_READONLY: 8,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_PROTOCOL: 15,
  SQLITE_AUTH: 23,
  SQLITE_NOTADB: 26,
};

const ANSWERS: Readonly<Record<number, readonly [SessionErrorCode, string]>> = {
  1: [
    "STORE_MISCONFIGURED",
    "SQLite refused a statement of the session store. Its tables may have been changed, or its connection may be used by others in the middle of a transaction: give the store a connection of its own.",
  ],
  3: ["STORE_MISCONFIGURED", "The SQLite file may not be used by this process; see its rights."],
  5: ["STORE_UNAVAILABLE", "The SQLite file was locked by other writers all the time."],
  6: ["STORE_UNAVAILABLE", "The SQLite tables were locked by other users of the connection."],
  8: [
    "STORE_MISCONFIGURED",
    "The SQLite file cannot be written: this process needs write access to the file and to its folder.",
  ],
  10: ["STORE_UNAVAILABLE", "The disk of the SQLite file failed to read or write."],
  11: [
    "STORE_MISCONFIGURED",
    "The SQLite file is damaged. Nothing was changed: restore it from a backup, or move it away.",
  ],
  13: ["STORE_FULL", "There is no room for the SQLite file to grow: its disk is full."],
  14: [
    "STORE_MISCONFIGURED",
    "The SQLite file cannot be opened: its folder must exist, and this process needs write access to it.",
  ],
  15: ["STORE_UNAVAILABLE", "The SQLite file was being locked by others all the time."],
  23: ["STORE_MISCONFIGURED", "The SQLite connection forbids what the session store needs."],
  26: [
    "STORE_MISCONFIGURED",
    "The file is not a SQLite database. Nothing was changed: give another path.",
  ],
};

/** Whether an error says that others hold a lock, so that the same may work in a moment. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === 5 || code === 6 || code === 15;
}

/** What callers hear for what the driver threw. What is a `SessionError` already passes as it is. */
export function storeError(error: unknown): SessionError {
  if (isSessionError(error)) return error;
  const [code, sentence] = ANSWERS[resultCode(error)] ?? [
    "STORE_UNAVAILABLE",
    "The SQLite database could not be used.",
  ];
  return new SessionError(code, sentence, { cause: error });
}

/** The primary code: `node:sqlite` has the number, `better-sqlite3` the name, both extended (`SQLITE_BUSY_SNAPSHOT`). */
function resultCode(error: unknown): number {
  if (!(error instanceof Error)) return 0;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  const name = typeof code === "string" ? /^SQLITE_[A-Z]+/.exec(code)?.[0] : undefined;
  return CODES[name ?? ""] ?? 0;
}
