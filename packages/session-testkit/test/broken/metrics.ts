import type { CreateLimits, CreateResult, NewSession, StoreMetrics } from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";
import { InsteadOfMetrics } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenMetrics: readonly BrokenTwin[] = [
  twin(
    "counts one session too many",
    class extends InsteadOfMetrics {
      override other(metrics: StoreMetrics): Partial<StoreMetrics> {
        return { totalSessions: metrics.totalSessions + 1 };
      }
    },
    "a store that has seen nothing counts nothing",
    "everything at once, with lost answers and a moving clock (F-09)",
  ),
  twin(
    "takes redirects for successes",
    class extends InsteadOfMetrics {
      override other({
        requestsByStatusClass: [other = 0, c1 = 0, c2 = 0, c3 = 0, ...errors],
      }: StoreMetrics): Partial<StoreMetrics> {
        return { requestsByStatusClass: [other, c1, c2 + c3, 0, ...errors] };
      }
    },
    "after a scripted history every number is right to the unit",
  ),
  twin(
    "counts every end as a revocation",
    class extends InsteadOfMetrics {
      override other({ endedByReason }: StoreMetrics): Partial<StoreMetrics> {
        const total = Object.values(endedByReason).reduce((sum, count) => sum + count, 0);
        const none = Object.fromEntries(Object.keys(endedByReason).map((reason) => [reason, 0]));
        return { endedByReason: { ...none, revoked: total } as StoreMetrics["endedByReason"] };
      }
    },
    "every reason to end is counted under its own name",
  ),
  twin(
    "keeps the length of sessions that have ended",
    class extends InsteadOfMetrics {
      override other(): Partial<StoreMetrics> {
        const lengths = [...this.held.values()].map(
          ({ record }) => record.lastAccessTime - record.state.createdAt,
        );
        return { totalLength: lengths.reduce((sum, length) => sum + length, 0) };
      }
    },
    "the length of the live sessions follows their last access and forgets those that ended",
  ),
  twin(
    "takes the present for the peak",
    class extends InsteadOfMetrics {
      override other({ activeSessions }: StoreMetrics): Partial<StoreMetrics> {
        return { peakSessions: activeSessions };
      }
    },
    "the peak stays when sessions go, with the time at which it was reached first",
  ),
  twin(
    "never forgets what it counted by time",
    class extends InsteadOfMetrics {
      override other({ totalRequests }: StoreMetrics): Partial<StoreMetrics> {
        const sessionsByHour = new Array<number>(24).fill(0);
        for (const at of this.counted.created) {
          const hour = new Date(at).getUTCHours();
          sessionsByHour[hour] = (sessionsByHour[hour] ?? 0) + 1;
        }
        return { sessionsByHour, requestsLastMinute: totalRequests };
      }
    },
    "sessions started are counted by UTC hour, for the last 24 hours only",
    "requests of the last minute and users of the last five leave the count with time",
  ),
  twin(
    "counts sessions that it refuses",
    class extends ReferenceStore {
      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        const result = await super.create(session, limits);
        if (result.status === "refused") this.counted.created.push(this.now());
        return result;
      }
    },
    "refused sessions and commits that write nothing change no number",
  ),
  twin(
    "counts every endpoint by itself",
    class extends InsteadOfMetrics {
      override other(): Partial<StoreMetrics> {
        const names = new Set(this.counted.requests.map(({ sample }) => sample.endpoint));
        return { endpoints: [...names].map((endpoint) => ({ endpoint, requests: 1 })) };
      }
    },
    "the number of endpoints counted one by one is bounded, and no request is lost with it (R-43)",
  ),
];
