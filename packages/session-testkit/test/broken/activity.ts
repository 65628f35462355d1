import type {
  ActivityEntry,
  ActivityPage,
  ActivityQuery,
  StoreSettings,
  TrackBatch,
} from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenTimelines: readonly BrokenTwin[] = [
  twin(
    "loses the metadata of an entry",
    class extends ReferenceStore {
      override async track(batch: TrackBatch): Promise<void> {
        const bare = ({ metadata: _, ...entry }: ActivityEntry): ActivityEntry => entry;
        const items = batch.items.map((item) => ({
          ...item,
          entry: item.entry && bare(item.entry),
        }));
        await super.track({ ...batch, items });
      }
    },
    "an entry comes back as it was tracked",
  ),
  twin(
    "shows the oldest entries first",
    class extends ReferenceStore {
      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        const page = await super.activity(id, query);
        return page && { ...page, entries: [...page.entries].reverse() };
      }
    },
    "the timeline is newest first, also within one batch and one millisecond",
  ),
  twin(
    "keeps every entry, of any age",
    class extends ReferenceStore {
      override attach(settings: StoreSettings): void {
        super.attach({ ...settings, activityLimit: 1_000_000, activityRetention: undefined });
      }
    },
    "the newest activityLimit entries are kept, the older ones give way (R-46)",
    "entries older than activityRetention are no longer shown or counted (R-44)",
  ),
  twin(
    "gives a cursor with every full page of a timeline",
    class extends ReferenceStore {
      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        const page = await super.activity(id, query);
        return (
          page && { ...page, nextCursor: page.entries.length === query.limit ? "0" : undefined }
        );
      }
    },
    "the last page of a timeline has no cursor, also when it is full",
  ),
  twin(
    "answers an empty timeline for an unknown session",
    class extends ReferenceStore {
      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        return (
          (await super.activity(id, query)) ?? { entries: [], nextCursor: undefined, total: 0 }
        );
      }
    },
    "a session without entries has an empty timeline, an unknown one has none",
    "what was never made is absent everywhere, and is not an error",
  ),
  twin(
    "forgets a timeline when the session ends",
    class extends ReferenceStore {
      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        const page = await super.activity(id, query);
        const ended = this.held.get(id)?.record.endedAt !== undefined;
        return ended ? { entries: [], nextCursor: undefined, total: 0 } : page;
      }
    },
    "an ended session's timeline is readable while the session is, then unknown",
  ),
];
