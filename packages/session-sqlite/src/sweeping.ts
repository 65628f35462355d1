import { RECORD_VERSION, type StoreSettings } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import { HOUR, SECOND, WINDOWS } from "./counts.ts";
import { EVENT_LIFE } from "./outbox.ts";
import type { Row } from "./row.ts";
import type { Step } from "./step.ts";
import { readTotals } from "./totals.ts";

/** Rows of one kind that are taken away in one go. */
const SOME = 100;
/** Milliseconds after which a sender of batches is forgotten; none repeats one for so long. */
const BATCH_LIFE = 24 * HOUR;

/** What a sweep works with. */
export interface Broom {
  readonly db: Connection;
  readonly settings: StoreSettings;
  readonly now: number;
  /** Runs one short transaction, and tells what happened in it. */
  readonly take: <Result>(work: (step: Step) => Result) => Result;
  /** Whether the budget is used up. Every step does something before it asks. */
  readonly isOver: () => boolean;
  /** Hears of each session that was ended. */
  readonly ended: (count: number) => void;
}

/**
 * Ends what is due and forgets what nobody needs any more, in small transactions, so that neither this process nor others
 * wait for it. Where nothing is to be done it takes no lock. Answers whether that was all.
 */
export function sweep(broom: Broom): boolean {
  return endDue(broom) && forgetEnded(broom) && forgetTraces(broom);
}

function endDue({ db, now, take, isOver, ended }: Broom): boolean {
  const due = "SELECT 1 FROM kyb_sessions WHERE ended_at IS NULL AND record = ? AND deadline <= ?";
  if (db.get(due, RECORD_VERSION, now) === undefined) return true;
  let last: Row | undefined;
  do {
    last = take((step) => {
      const next = step.endSome(last, isOver);
      ended(step.events.length);
      return next;
    });
    if (isOver()) return false;
  } while (last !== undefined);
  return true;
}

function forgetEnded({ db, settings, now, take, isOver }: Broom): boolean {
  const { endedRetention, maxEnded = Number.POSITIVE_INFINITY } = settings;
  const tooMany = (): number => readTotals(db).ended - maxEnded;
  const isOld = (row: Pick<Row, "ended_at">): boolean =>
    row.ended_at !== null && now - row.ended_at >= endedRetention;
  for (;;) {
    const oldest = db.get<Row>(
      "SELECT ended_at FROM kyb_sessions WHERE ended_at IS NOT NULL ORDER BY ended_at, id LIMIT 1",
    );
    if (oldest === undefined || (tooMany() <= 0 && !isOld(oldest))) return true;
    take(({ sessions }) => {
      let rest = tooMany();
      for (const row of sessions.firstEnded(SOME)) {
        if (rest <= 0 && !isOld(row)) return;
        sessions.forget(row);
        rest--;
        if (isOver()) return;
      }
    });
    if (isOver()) return false;
  }
}

/** Takes away what counts no more. */
function forgetTraces({ db, now, take, isOver }: Broom): boolean {
  for (const { found, forget, until } of TRACES) {
    while (db.get(found, until(now)) !== undefined) {
      take(() => db.run(forget, until(now)));
      if (isOver()) return false;
    }
  }
  return true;
}

/** Rows that have done their service: whether there are any, and how to take some of them away. */
interface Trace {
  readonly found: string;
  readonly forget: string;
  /** What the rows are compared with. */
  readonly until: (now: number) => number;
}

const seconds = (count: number) => (now: number) => Math.floor(now / SECOND) - count;

function trace(where: string, until: (now: number) => number): Trace {
  return { found: `SELECT 1 FROM ${where} LIMIT 1`, forget: `DELETE FROM ${where}`, until };
}

const TRACES: readonly Trace[] = [
  {
    found: "SELECT 1 FROM (SELECT at FROM kyb_events ORDER BY sequence LIMIT 1) WHERE at <= ?",
    // They lie in the order of time: what is old is at the beginning.
    forget: `DELETE FROM kyb_events WHERE sequence IN (SELECT sequence FROM (SELECT sequence, at FROM kyb_events ORDER BY sequence LIMIT ${SOME}) WHERE at <= ?)`,
    until: (now) => now - EVENT_LIFE,
  },
  {
    found: "SELECT 1 FROM kyb_users_seen WHERE second <= ? LIMIT 1",
    forget: `DELETE FROM kyb_users_seen WHERE user_id IN (SELECT user_id FROM kyb_users_seen WHERE second <= ? LIMIT ${SOME})`,
    until: seconds(WINDOWS.seen),
  },
  trace("kyb_counts WHERE kind = 'seen' AND slot <= ?", seconds(WINDOWS.seen)),
  trace("kyb_counts WHERE kind = 'second' AND slot <= ?", seconds(WINDOWS.second)),
  trace(
    "kyb_counts WHERE kind = 'started' AND slot <= ?",
    (now) => Math.floor(now / HOUR) - WINDOWS.started,
  ),
  trace("kyb_batches WHERE at <= ?", (now) => now - BATCH_LIFE),
];
