import type { CommitResult } from "../../src/commit.ts";
import type { SessionRecord } from "../../src/record.ts";
import type { MaybePromise, SessionStore } from "../../src/store.ts";
import { wrappedStore } from "./wrapped-store.ts";

/** A store in this process that answers its own records instead of copies: they move on behind the caller's back. */
export function liveStore(
  inner: SessionStore & { find(id: string): SessionRecord | undefined },
): SessionStore {
  const live = (record: SessionRecord): SessionRecord => {
    const current = (): SessionRecord => inner.find(record.state.id) ?? record;
    return {
      get state() {
        return current().state;
      },
      get lastAccessTime() {
        return current().lastAccessTime;
      },
      get lastActivityTime() {
        return current().lastActivityTime;
      },
      get requestCount() {
        return current().requestCount;
      },
      get confirmed() {
        return current().confirmed;
      },
      get endedAt() {
        return current().endedAt;
      },
      get endReason() {
        return current().endReason;
      },
    };
  };
  return wrappedStore(inner, (_method, run) => {
    const result = run() as { state?: unknown } & Partial<CommitResult> & {
        record?: SessionRecord;
      };
    if (result?.state !== undefined) return live(result as unknown as SessionRecord) as never;
    if (result?.record !== undefined) return { ...result, record: live(result.record) } as never;
    return result as MaybePromise<never>;
  });
}
