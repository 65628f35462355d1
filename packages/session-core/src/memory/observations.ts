import type { ActivityEntry } from "../activity/entry.ts";
import type { ActivityLog } from "../activity/log.ts";
import { lifecycle } from "../lifecycle.ts";
import type { Counters } from "../metrics/counters.ts";
import type { ImportedSession, ImportStatus } from "../store.ts";
import type { TrackItem } from "../track-batch.ts";
import type { Endings } from "./endings.ts";
import type { Entry } from "./entry.ts";
import type { Sessions } from "./sessions.ts";

/** What was seen of sessions, here or elsewhere: times, counts and timelines. `now` is epoch milliseconds. */
export class Observations {
  readonly #endings: Endings;
  readonly #sessions: Sessions;
  readonly #counters: Counters;
  readonly #log: ActivityLog;

  constructor(endings: Endings, sessions: Sessions, counters: Counters, log: ActivityLog) {
    this.#endings = endings;
    this.#sessions = sessions;
    this.#counters = counters;
    this.#log = log;
  }

  /** Notes one observation; of a session that is gone only its request is counted. */
  observe(item: TrackItem, now: number): void {
    const entry = this.#endings.find(item.id);
    if (item.request !== undefined && this.#endings.settings.metrics) {
      this.#counters.request(item.request, undefined, now);
      if (entry !== undefined) this.#sessions.requested(entry, now);
    }
    if (entry === undefined || entry.endedAt !== undefined || this.#endings.endIfDue(entry, now))
      return;
    const time = item.seenAt <= now ? item.seenAt : Math.min(item.seenAt, entry.state.absoluteEnd);
    if (item.access) this.#sessions.accessed(entry, time);
    if (item.active && time > entry.lastActivityTime) entry.lastActivityTime = time;
    if (item.request !== undefined) entry.requestCount++;
    if (item.confirm && !entry.confirmed) this.#sessions.confirm(entry);
    if (item.entry === undefined) return;
    const begin = this.begin(now);
    if (begin !== undefined) this.#log.expire(entry, begin);
    this.#append(entry, item.entry);
  }

  /** Takes in a session with what was seen of it elsewhere. */
  import({ record, entries, over }: ImportedSession, now: number): ImportStatus {
    if (lifecycle(record, now) !== "live") return "gone";
    const { metrics, activityLimit } = this.#endings.settings;
    const existing = this.#endings.find(record.state.id);
    if (existing !== undefined) {
      const { version, epoch } = existing.state;
      const isBehind = version === over && epoch <= record.state.epoch;
      if (!isBehind || lifecycle(existing, now) !== "live") return "exists";
      this.#sessions.drop(existing);
    } else if (metrics) this.#counters.imported(now, this.#sessions.live + 1);
    const entry = this.#sessions.add({ ...record.state }, record);
    for (const line of entries.slice(0, activityLimit).reverse()) this.#append(entry, line);
    return "imported";
  }

  /** Lines of a timeline from this time or earlier are no longer shown. */
  begin(now: number): number | undefined {
    const { activityRetention } = this.#endings.settings;
    return activityRetention === undefined ? undefined : now - activityRetention;
  }

  #append(entry: Entry, line: ActivityEntry): void {
    const { activityLimit, activityBytes } = this.#endings.settings;
    this.#log.append(entry, line, activityLimit, activityBytes);
  }
}
