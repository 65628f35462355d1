import type { RequestSample } from "../activity/entry.ts";
import type { EndReason } from "../record.ts";
import { ActiveUsers } from "./active-users.ts";
import { Durations } from "./durations.ts";
import { EndpointCounts } from "./endpoints.ts";
import type { StoreMetrics } from "./snapshot.ts";
import { CountWindow } from "./window.ts";

const SECOND = 1000;
const HOUR = 3_600_000;

/** What a store knows without counting. */
export type Gauges = Pick<
  StoreMetrics,
  | "activeSessions"
  | "signedInSessions"
  | "anonymousSessions"
  | "provisionalSessions"
  | "totalLength"
  | "activityDropped"
  | "lostSessions"
>;

/**
 * Numbers that are kept while things happen, so that reading them costs the same with one session or a million.
 * Times are epoch milliseconds.
 */
export class Counters {
  #totalSessions = 0;
  #totalRequests = 0;
  #peakSessions = 0;
  #peakSessionsTime = 0;
  readonly #ended: Record<EndReason, number> = {
    "signed-out": 0,
    revoked: 0,
    idle: 0,
    absolute: 0,
    provisional: 0,
    limit: 0,
    reuse: 0,
    binding: 0,
    shutdown: 0,
    erased: 0,
  };
  readonly #started = new CountWindow(24, HOUR);
  readonly #requests = new CountWindow(60, SECOND);
  readonly #statusClasses = [0, 0, 0, 0, 0, 0];
  readonly #endpoints = new EndpointCounts();
  readonly #durations = new Durations();
  readonly #users: ActiveUsers;

  /** `users` are counted by who gives them, or with their requests. */
  constructor(users: ActiveUsers = new ActiveUsers()) {
    this.#users = users;
  }

  /** A session began; `active` includes it. */
  created(now: number, active: number): void {
    this.#started.add(now);
    this.imported(now, active);
  }

  /** A session that began elsewhere is here now; `active` includes it. */
  imported(now: number, active: number): void {
    this.#totalSessions++;
    if (active <= this.#peakSessions) return;
    this.#peakSessions = active;
    this.#peakSessionsTime = now;
  }

  ended(reason: EndReason): void {
    this.#ended[reason]++;
  }

  /** A request was finished. `userId` is the session's user, if it has one and is still known. */
  request(sample: RequestSample, userId: string | undefined, now: number): void {
    this.#totalRequests++;
    this.#requests.add(now);
    const hundreds = Math.floor(sample.statusCode / 100);
    const statusClass = hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
    this.#statusClasses[statusClass] = (this.#statusClasses[statusClass] as number) + 1;
    this.#endpoints.add(sample.endpoint);
    this.#durations.add(sample.duration);
    if (userId !== undefined) this.#users.add(userId, now);
  }

  snapshot(gauges: Gauges, now: number): StoreMetrics {
    return {
      ...gauges,
      totalSessions: this.#totalSessions,
      endedByReason: { ...this.#ended },
      totalRequests: this.#totalRequests,
      peakSessions: this.#peakSessions,
      peakSessionsTime: this.#peakSessionsTime,
      sessionsByHour: this.#started.counts(now),
      requestsLastMinute: this.#requests.total(now),
      requestsByStatusClass: [...this.#statusClasses],
      endpoints: this.#endpoints.snapshot(),
      durations: this.#durations.snapshot(),
      activeUsers: this.#users.count(now),
    };
  }
}
