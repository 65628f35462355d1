import type {
  Commit,
  CommitResult,
  SessionRecord,
  SessionState,
  StoreMetrics,
  StorePage,
  StoreQuery,
  TrackBatch,
  TrackItem,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";

/** A store that changes the state after each commit that was applied. */
export class AfterCommit extends ReferenceStore {
  after(_before: SessionState, after: SessionState, _commit: Commit): SessionState {
    return after;
  }

  override write(held: Held, commit: Commit, record: SessionRecord): void {
    const state = this.after(held.record.state, record.state, commit);
    super.write(held, commit, { ...record, state });
  }
}

/** A store that reads another commit than it was given. */
export class InsteadOfCommit extends ReferenceStore {
  instead(_id: string, commit: Commit): Commit {
    return commit;
  }

  override async commit(id: string, commit: Commit): Promise<CommitResult> {
    return super.commit(id, this.instead(id, commit));
  }
}

/** A store that reads other observations than it was given. */
export class InsteadOfItems extends ReferenceStore {
  items(items: readonly TrackItem[]): readonly TrackItem[] {
    return items;
  }

  override async track(batch: TrackBatch): Promise<void> {
    await super.track({ ...batch, items: this.items(batch.items) });
  }
}

/** A store that answers another page than it should. */
export class InsteadOfPage extends ReferenceStore {
  page(page: StorePage, _query: StoreQuery): StorePage {
    return page;
  }

  override async list(query: StoreQuery): Promise<StorePage> {
    return this.page(await super.list(query), query);
  }
}

/** A store that counts otherwise. */
export class InsteadOfMetrics extends ReferenceStore {
  other(metrics: StoreMetrics): Partial<StoreMetrics> {
    return metrics;
  }

  override async metrics(): Promise<StoreMetrics> {
    const metrics = await super.metrics();
    return { ...metrics, ...this.other(metrics) };
  }
}
