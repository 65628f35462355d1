import { systemClock } from "../environment.ts";

/** How far a migration has come, or what it came to. */
export interface MigrationReport {
  /** Live sessions of the source when it began; undefined where the source does not know. */
  readonly total: number | undefined;
  /** Sessions that are in the target now and were not before. */
  readonly copied: number;
  /** Sessions that were in the target and have been brought up to date. */
  readonly updated: number;
  /** Sessions that the target had, ended or as far on as the source. */
  readonly skipped: number;
  /** Sessions that ended or fell due before they could be copied. */
  readonly gone: number;
  /** Sessions that were ended in the target because they had ended in the source. */
  readonly ended: number;
  /** Records that one of the stores could not read; they were left alone. What a store's list leaves out is not among them. */
  readonly unreadable: number;
  /** Milliseconds since it began. */
  readonly duration: number;
}

/** Counts while a migration goes on. */
export class MigrationCounts {
  readonly #startedAt: number = systemClock.monotonic();
  total: number | undefined;
  copied = 0;
  updated = 0;
  skipped = 0;
  gone = 0;
  ended = 0;
  unreadable = 0;

  report(): MigrationReport {
    const { total, copied, updated, skipped, gone, ended, unreadable } = this;
    const duration = systemClock.monotonic() - this.#startedAt;
    return { total, copied, updated, skipped, gone, ended, unreadable, duration };
  }
}
