import type { EndReason, StoreEvent } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { decodeText, encodeText } from "./text.ts";

/** Milliseconds that an event waits for other processes to read it. */
export const EVENT_LIFE = 60_000;
/** Events that are read in one go. */
const PAGE = 200;

interface EventRow {
  readonly sequence: number;
  readonly origin: string;
  readonly type: StoreEvent["type"];
  readonly session: string;
  readonly user_id: string | null;
  readonly at: number;
  readonly reason: EndReason | null;
}

/** Puts an event where other processes find it. It is there if and only if the transaction is. */
export function storeEvent(db: Connection, origin: string, event: StoreEvent): void {
  const { type, sessionId, userId, at, reason } = event;
  db.run(
    "INSERT INTO kyb_events (origin, type, session, user_id, at, reason) VALUES (?, ?, ?, ?, ?, ?)",
    origin,
    type,
    sessionId,
    userId === undefined ? null : encodeText(userId),
    at,
    reason ?? null,
  );
}

/** Reads what others put there, each event once. Writers take turns, so the order of the numbers is that of the events. */
export class Inbox {
  readonly #db: Connection;
  readonly #origin: string;
  #last: number | undefined;
  #dataVersion: number | undefined;

  constructor(db: Connection, origin: string) {
    this.#db = db;
    this.#origin = origin;
  }

  /** What happened until now is not asked for. */
  restart(): void {
    this.#last = undefined;
  }

  /** The next events of others since it was first asked. */
  read(): StoreEvent[] {
    // It changes with every commit of another connection, and is had without a look at any table.
    const version = this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version;
    if (this.#last === undefined) {
      this.#last = this.#latest();
      this.#dataVersion = version;
      return [];
    }
    if (version === this.#dataVersion) return [];
    const rows = this.#db.all<EventRow>(
      "SELECT * FROM kyb_events WHERE sequence > ? ORDER BY sequence LIMIT ?",
      this.#last,
      PAGE,
    );
    this.#last = rows.at(-1)?.sequence ?? this.#last;
    if (rows.length < PAGE) this.#dataVersion = version;
    return rows.filter(({ origin }) => origin !== this.#origin).map(eventOf);
  }

  #latest(): number {
    return (
      this.#db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'kyb_events'")
        ?.seq ?? 0
    );
  }
}

function eventOf(row: EventRow): StoreEvent {
  return {
    type: row.type,
    sessionId: row.session,
    userId: row.user_id === null ? undefined : decodeText(row.user_id),
    at: row.at,
    reason: row.reason ?? undefined,
  };
}
