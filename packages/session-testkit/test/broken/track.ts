import type { TrackBatch, TrackItem } from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";
import { InsteadOfItems } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenTracking: readonly BrokenTwin[] = [
  twin(
    "takes passive requests for activity",
    class extends InsteadOfItems {
      override items(items: readonly TrackItem[]): readonly TrackItem[] {
        return items.map((item) => ({ ...item, active: item.access }));
      }
    },
    "a passive request moves the last access alone, and one from outside moves neither time",
    "passive requests do not extend the idle timeout, and unconfirmed ones not the provisional one",
  ),
  twin(
    "counts no requests",
    class extends InsteadOfItems {
      override items(items: readonly TrackItem[]): readonly TrackItem[] {
        return items.map((item) => ({ ...item, request: undefined }));
      }
    },
    "a request is counted, moves both times and confirms the session",
    "a request without an entry counts, and leaves the timeline empty",
    "64 batches of different senders at once are all counted (F-03)",
  ),
  twin(
    "believes the latest time that it is told",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        await super.track(batch);
        for (const { id, seenAt } of batch.items) {
          const held = this.liveOne(id);
          if (held === undefined) continue;
          held.record = { ...held.record, lastAccessTime: seenAt, lastActivityTime: seenAt };
        }
      }
    },
    "times only move forward, whatever order the batches come in (R-38)",
  ),
  twin(
    "applies the same batch twice",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        await super.track({ ...batch, sequence: 0 });
      }
    },
    "the same batch again is answered and not applied; the next one and another sender's are (F-17)",
    "touches, sweeps and the end of time agree on whether a session is over (R-22)",
  ),
  twin(
    "takes the sequence 0 for a repetition",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        await super.track(batch.sequence === 0 ? { ...batch, sequence: -1 } : batch);
      }
    },
    "batches with the sequence 0 are neither remembered nor compared",
  ),
  twin(
    "drops a batch in which one session is gone",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        if (batch.items.every((item) => this.liveOne(item.id) !== undefined))
          await super.track(batch);
      }
    },
    "sessions that are gone are skipped, the others of the batch are not, and all requests count (R-26)",
  ),
  twin(
    "revives an ended session that is touched",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        for (const { id } of batch.items) {
          const held = this.held.get(id);
          if (held === undefined) continue;
          held.record = { ...held.record, endedAt: undefined, endReason: undefined };
        }
        await super.track(batch);
      }
    },
    "nothing brings an ended session back (R-26, F-01)",
    "sessions that are gone are skipped, the others of the batch are not, and all requests count (R-26)",
    "a session that is signed out or revoked during a slow request never comes back (F-01, R-26)",
    "touches, sweeps and the end of time agree on whether a session is over (R-22)",
  ),
  twin(
    "takes custom actions for requests",
    class extends InsteadOfItems {
      override items(items: readonly TrackItem[]): readonly TrackItem[] {
        return items.map((item) => ({ ...item, request: item.request ?? item.entry }));
      }
    },
    "a custom action is kept in the timeline and is not a request",
  ),
];
