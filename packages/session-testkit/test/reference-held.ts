import type { EndReason, RequestSample, SessionRecord } from "@kyb/session-core/store";
import type { Positioned } from "./reference-pages.ts";

/** What the store keeps of one session. */
export interface Held {
  record: SessionRecord;
  /** Oldest first. */
  entries: Positioned[];
  opIds: string[];
}

/** What the store remembers for its metrics. */
export interface Counted {
  created: number[];
  imported: number;
  ended: EndReason[];
  requests: {
    readonly at: number;
    readonly userId: string | undefined;
    readonly sample: RequestSample;
  }[];
  peak: number;
  peakTime: number;
}
