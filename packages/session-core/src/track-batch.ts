import type { ActivityEntry, RequestSample } from "./activity/entry.ts";

/** What one manager observed since its last batch. */
export interface TrackBatch {
  /** Unique to the sending manager. */
  readonly instance: string;
  /** Grows by one with each batch of that manager. 0: harmless to repeat, so neither remembered nor compared. */
  readonly sequence: number;
  readonly items: readonly TrackItem[];
}

/** What was observed of one session. */
export interface TrackItem {
  readonly id: string;
  readonly seenAt: number;
  /** Moves the last access; false for an action that is recorded from outside a request. */
  readonly access: boolean;
  /** Moves the last activity, and with it the idle deadline. */
  readonly active: boolean;
  /** The client sent its token back: no longer provisional. */
  readonly confirm: boolean;
  /** A request to count. */
  readonly request: RequestSample | undefined;
  /** An entry to keep. */
  readonly entry: ActivityEntry | undefined;
}
