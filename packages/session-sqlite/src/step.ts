import type { EndReason, StoreEvent, StoreSettings, UserLimit } from "@kyb/session-core/store";
import type { Connection, Durability } from "./connection.ts";
import { Counts } from "./counts.ts";
import { storeEvent } from "./outbox.ts";
import { dueReason, type Row, userOf } from "./row.ts";
import { Sessions } from "./sessions.ts";
import { TotalChanges } from "./totals.ts";

/** Sessions that are looked at in one go because they are due. */
const SOME = 32;

/** What a step needs to know. */
export interface Facts {
  readonly db: Connection;
  readonly settings: StoreSettings;
  /** Names this store among those that use the file. */
  readonly origin: string;
}

/** What a step answered, and what there is to tell. */
export interface Outcome<Result> {
  readonly result: Result;
  readonly events: readonly StoreEvent[];
}

/** Runs `work` as one atomic step at the present time. */
export function takeStep<Result>(
  facts: Facts,
  durability: Durability,
  work: (step: Step) => Result,
): Outcome<Result> {
  return facts.db.write(durability, () => {
    const step = new Step(facts);
    const result = work(step);
    step.store();
    return { result, events: step.events };
  });
}

/**
 * One transaction: the sessions, and beside them what it counts and tells, which is stored at its end. All ways in which
 * sessions end are here.
 */
export class Step {
  readonly now: number;
  readonly db: Connection;
  readonly settings: StoreSettings;
  readonly totals: TotalChanges;
  readonly sessions: Sessions;
  readonly counts: Counts = new Counts();
  readonly events: StoreEvent[] = [];
  readonly #origin: string;

  constructor({ db, settings, origin }: Facts) {
    this.db = db;
    this.settings = settings;
    this.#origin = origin;
    this.now = settings.now();
    this.totals = new TotalChanges(db);
    this.sessions = new Sessions(db, this.totals);
  }

  /** A live session. One that is met due is ended. */
  live<Held extends Row>(row: Held | undefined): Held | undefined {
    if (row === undefined || row.ended_at !== null) return undefined;
    return this.endIfDue(row) ? undefined : row;
  }

  end(row: Row, reason: EndReason): void {
    this.sessions.update(row, { ended_at: this.now, end_reason: reason });
    if (this.settings.metrics) this.counts.ended(reason);
    this.tell("ended", row.id, userOf(row), reason);
  }

  /** Whether a session that has not ended is due; then it is ended now. */
  endIfDue(row: Row): boolean {
    const reason = dueReason(row, this.now);
    if (reason !== undefined) this.end(row, reason);
    return reason !== undefined;
  }

  /**
   * Which live sessions of a user have to end so that another one fits; undefined: it is refused. Those that are due are
   * ended on the way and do not count, nor does `self`.
   */
  overLimit(
    userId: string,
    limit: UserLimit | undefined,
    self: string | undefined,
  ): readonly Row[] | undefined {
    if (limit === undefined) return [];
    const order = limit.policy === "evict-least-recent" ? "last_access" : "created_at";
    const others = this.sessions
      .ofUser(userId, order)
      .filter((row) => row.id !== self && !this.endIfDue(row));
    if (others.length < limit.max) return [];
    return limit.policy === "reject" ? undefined : others.slice(0, others.length - limit.max + 1);
  }

  /**
   * Makes room for one session, beside the room that `leaving` signed-in sessions will make. What is due goes first. False:
   * all that may go would not be enough, and nobody had to.
   */
  makeRoom(max: number, leaving: number): boolean {
    const missing = (): number => this.sessions.count("live") - leaving + 1 - max;
    if (missing() <= 0) return true;
    this.#endDue(() => missing() <= 0);
    if (missing() > this.sessions.count("live") - this.sessions.count("signed_in")) return false;
    while (missing() > 0) {
      const victim = this.sessions.firstToGo();
      if (victim === undefined) return false;
      this.end(victim, "limit");
    }
    return true;
  }

  /** Remembers what listeners here and in other processes are to hear. */
  tell(
    type: StoreEvent["type"],
    sessionId: string,
    userId: string | undefined,
    reason?: EndReason,
  ): void {
    this.events.push({ type, sessionId, userId, at: this.now, reason });
  }

  /** Writes what was counted and told. */
  store(): void {
    const { db, now } = this;
    this.totals.store(this.settings.metrics ? now : undefined);
    this.counts.store(db, now);
    for (const event of this.events) storeEvent(db, this.#origin, event);
  }

  /**
   * Looks at some sessions that are due and ends them, until `isEnough`; answers where to go on, undefined: there are no
   * more. One that is damaged so that it does not end is passed.
   */
  endSome(after: Row | undefined, isEnough: () => boolean): Row | undefined {
    const rows = this.sessions.someDue(this.now, SOME, after);
    for (const row of rows) {
      this.endIfDue(row);
      if (isEnough()) return row;
    }
    return rows.length < SOME ? undefined : rows.at(-1);
  }

  #endDue(isEnough: () => boolean): void {
    let last = this.endSome(undefined, isEnough);
    while (last !== undefined && !isEnough()) last = this.endSome(last, isEnough);
  }
}
