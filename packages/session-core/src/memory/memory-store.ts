import type { Commit, CommitResult } from "../commit.ts";
import type { StoreMetrics } from "../metrics/snapshot.ts";
import type { CreateLimits, CreateResult, NewSession } from "../new-session.ts";
import type { EndReason, SessionRecord } from "../record.ts";
import type {
  EndOptions,
  EndResult,
  EndUserResult,
  ImportedSession,
  ImportStatus,
  MaybePromise,
  SessionStore,
  StoreCall,
  SweepResult,
} from "../store.ts";
import type { ActivityPage, ActivityQuery, StorePage, StoreQuery } from "../store-query.ts";
import type { TrackBatch } from "../track-batch.ts";
import type { MemoryStoreOptions } from "./settings.ts";
import { SynchronousStore } from "./synchronous-store.ts";

export type { MemoryStoreOptions } from "./settings.ts";

/** The store contract, answered at once. */
export interface MemoryStore extends SessionStore {
  create(session: NewSession, limits: CreateLimits, call?: StoreCall): CreateResult;
  find(id: string, call?: StoreCall): SessionRecord | undefined;
  commit(id: string, commit: Commit, call?: StoreCall): CommitResult;
  track(batch: TrackBatch, call?: StoreCall): void;
  end(id: string, reason: EndReason, options: EndOptions, call?: StoreCall): EndResult;
  endIfDue(id: string, call?: StoreCall): SessionRecord | undefined;
  endUser(
    userId: string,
    reason: EndReason,
    options: { readonly except?: string | undefined },
    call?: StoreCall,
  ): MaybePromise<EndUserResult>;
  list(query: StoreQuery, call?: StoreCall): StorePage;
  activity(id: string, query: ActivityQuery, call?: StoreCall): ActivityPage | undefined;
  metrics(call?: StoreCall): StoreMetrics;
  import(sessions: readonly ImportedSession[], call?: StoreCall): readonly ImportStatus[];
  sweep(budget: { readonly milliseconds: number }, call?: StoreCall): SweepResult;
  close(): void;
}

/**
 * Keeps sessions in the memory of this process: the default store. Nothing survives a restart, and no other process
 * sees it. All calls answer at once, which is what makes them atomic.
 *
 * It starts no timer: sessions that are due end when somebody meets them or calls `sweep`, which the manager does
 * every second.
 *
 * Throws `INVALID_CONFIG` naming an option that is wrong; after `close`, `STORE_UNAVAILABLE` from every method.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new SynchronousStore(options);
}
