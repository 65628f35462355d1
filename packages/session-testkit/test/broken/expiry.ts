import type { Commit, EndReason, SessionRecord, TrackBatch } from "@kyb/session-core/store";
import { deadline } from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenExpiry: readonly BrokenTwin[] = [
  twin(
    "lets a session go on until somebody sweeps",
    class extends ReferenceStore {
      override liveOne(id: string): Held | undefined {
        const held = this.held.get(id);
        return held?.record.endedAt === undefined ? held : undefined;
      }
    },
    "a commit to a session that is due answers gone and writes nothing, though nobody has ended it yet (R-22)",
    "an end that comes after the deadline answers gone: the session ends for its age",
    "a touch that comes after the deadline revives nothing, whatever time it claims (R-26)",
    "touches, sweeps and the end of time agree on whether a session is over (R-22)",
  ),
  twin(
    "lets sessions live one millisecond too long",
    class extends ReferenceStore {
      override isDue(record: SessionRecord): boolean {
        return record.endedAt === undefined && this.now() > deadline(record);
      }
    },
    "a session is live until the last millisecond of its idle timeout and over with it (R-22)",
    "a session that is in use all the time is over with its absolute timeout (R-22)",
    "a provisional session is over with its own timeout (R-80)",
  ),
  twin(
    "lets use extend the absolute timeout",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        await super.track(batch);
        for (const { id } of batch.items) {
          const held = this.liveOne(id);
          if (held === undefined) continue;
          const { state } = held.record;
          const absoluteEnd = state.absoluteEnd + state.idleTimeout;
          held.record = { ...held.record, state: { ...state, absoluteEnd } };
        }
      }
    },
    "a session that is in use all the time is over with its absolute timeout (R-22)",
    "no touch lives past the absolute end, whatever time it claims (R-22, F-27)",
  ),
  twin(
    "keeps a session provisional that something was stored in",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        const { provisionalEnd } = held.record.state;
        super.write(held, commit, { ...record, state: { ...record.state, provisionalEnd } });
      }
    },
    "a session is no longer provisional once its token came back, something was stored or somebody signed in",
    "a session leaves the provisional ones once, by whatever comes first",
  ),
  twin(
    "stamps an end with the last access",
    class extends ReferenceStore {
      override finish(held: Held, endReason: EndReason): void {
        super.finish(held, endReason);
        held.record = { ...held.record, endedAt: held.record.lastAccessTime };
      }
    },
    "a due session is no longer live at the time of its end, and ends at that time or after",
  ),
  twin(
    "sweeps ten sessions and says that it is done",
    class extends ReferenceStore {
      override async sweep(): Promise<{ ended: number; more: boolean }> {
        return { ...(await super.sweep()), more: false };
      }
    },
    "sweep ends all that is due with the right reason, once, and nothing else",
  ),
  twin(
    "sweeps a session by its first deadline",
    class extends ReferenceStore {
      override async sweep(): Promise<{ ended: number; more: boolean }> {
        let ended = 0;
        for (const held of this.live()) {
          const { state } = held.record;
          if (this.now() < state.createdAt + state.idleTimeout) continue;
          this.finish(held, "idle");
          ended += 1;
        }
        this.forget();
        return { ended, more: false };
      }
    },
    "sweep finds a session by its latest deadline, moved many times and also moved nearer",
  ),
  twin(
    "keeps every ended session",
    class extends ReferenceStore {
      override forget(): void {
        // Ended sessions stay.
      }
    },
    "an ended session is readable for endedRetention, then unknown",
    "at most maxEnded ended sessions are kept, and the oldest go first",
  ),
];
