import type { StoreBench } from "./bench.ts";
import type { MaybePromise, SessionStore, StoreCapabilities, StoreSettings } from "./contract.ts";
import type { RaceReport } from "./races/explore.ts";

/** How the suite gets at the store that it tests. */
export interface StoreHarness {
  /**
   * A fresh, empty store. Called once for each case and once for each interleaving, so make it cheap: a new key
   * prefix or schema rather than a new server. The suite calls `attach` itself.
   */
  open(): MaybePromise<StoreUnderTest>;
}

/** One store of its own, and what the suite needs beside it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /**
   * For stores with a clock of their own: sets it, epoch milliseconds; it stands still until the next call. Called
   * before the first use. Without it the store must take its time from `StoreSettings.now`.
   */
  readonly setTime?: (now: number) => MaybePromise<void>;
  /** For stores whose events or counters arrive later than the answer: waits until they have arrived. */
  readonly settle?: () => MaybePromise<void>;
  /** Lets go of what `open` took; the suite has called `store.close()` before. */
  readonly close?: () => MaybePromise<void>;
}

/** What a case is about. */
export type StoreTopic =
  | "create"
  | "commit"
  | "data"
  | "secrets"
  | "end"
  | "track"
  | "expiry"
  | "limits"
  | "listing"
  | "activity"
  | "metrics"
  | "events"
  | "import"
  | "life span"
  | "races";

/** One behaviour that every store must show. Data, so that the same cases run against broken twins. */
export interface StoreCase {
  /** A sentence about the behaviour. */
  readonly name: string;
  readonly topic: StoreTopic;
  /** Skipped where the store declares that it cannot do this. */
  readonly needs?: keyof Pick<StoreCapabilities, "atomic" | "userIndex">;
  /** Settings that differ from the suite's. */
  readonly settings?: Partial<StoreSettings>;
  /** Throws where the store behaves otherwise. */
  run(bench: StoreBench, effort?: Effort): Promise<RaceReport | undefined>;
}

/** How much is tried. */
export interface Effort {
  /** How many interleavings of each race scenario are explored at least; undefined: as many as the scenario says. */
  readonly interleavings?: number | undefined;
}

/** A {@link StoreCase} as the files of one topic write it. */
export type TopicCase = Pick<StoreCase, "name" | "needs" | "settings"> & {
  run(bench: StoreBench): Promise<void>;
};

export function inTopic(topic: StoreTopic, cases: readonly TopicCase[]): readonly StoreCase[] {
  return cases.map((each) => ({
    ...each,
    topic,
    run: async (bench) => {
      await each.run(bench);
      return undefined;
    },
  }));
}
