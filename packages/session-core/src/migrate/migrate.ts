import { describe } from "../duration.ts";
import { SessionError } from "../errors.ts";
import type { SessionStore } from "../store.ts";
import { Migration } from "./migration.ts";
import { MigrationCounts, type MigrationReport } from "./report.ts";

/** Most sessions of one batch; the contract of `import` allows no more. */
const MAX_BATCH = 100;

export interface MigrateOptions {
  /** Where the sessions are. It is only read. */
  from: SessionStore;
  /** Where they are to be. */
  to: SessionStore;
  /** Hears how far it has come, after each batch. */
  onProgress?: (report: MigrationReport) => void;
  /** Stops it between two batches, and is handed to the stores: `migrate` rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Sessions that are copied together, 1 to 100. Default: 100. */
  batchSize?: number;
  /** Whether the timelines come along. Default: true. */
  activity?: boolean;
}

/**
 * Copies the live sessions of one store into another, while both are in use: with their ids, the hashes of their
 * secrets, users, data, times, counts and timelines, so that nobody is signed out. Both stores must have been given to a
 * manager, which tells them the application's settings; making one starts nothing.
 *
 * It can be run again, and should be: shortly before the application is switched to the new store, and right after. What is there
 * already is skipped, unless it has gone on in the old store and not in the new one; then it is brought up to date. What
 * has ended in the new store never comes back. What has ended in the old one since an earlier run, or ends during this
 * one, ends in the new one too, but for what falls due: there the new store's clock decides.
 *
 * Rejects with the store's error where a store cannot be asked. What has been copied until then stays.
 */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const { from, to, onProgress, signal, activity = true, batchSize = MAX_BATCH } = options;
  if (from === to) {
    throw new SessionError("INVALID_ARGUMENT", "from and to are the same store.");
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH) {
    throw new SessionError(
      "INVALID_ARGUMENT",
      `batchSize must be a whole number from 1 to ${MAX_BATCH}, got ${describe(batchSize)}.`,
    );
  }
  if (typeof to.import !== "function") {
    throw new SessionError("UNSUPPORTED", `The store ${to.capabilities.name} cannot import.`);
  }
  const counts = new MigrationCounts();
  const migration = new Migration({ from, to, activity, batchSize, signal, counts });
  await migration.run(() => onProgress?.(counts.report()));
  return counts.report();
}
