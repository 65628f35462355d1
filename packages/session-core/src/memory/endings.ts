import { nextTurn } from "../internal/timer.ts";
import { lifecycle } from "../lifecycle.ts";
import type { Counters } from "../metrics/counters.ts";
import type { UserLimit } from "../new-session.ts";
import type { EndReason } from "../record.ts";
import type { MaybePromise } from "../store.ts";
import type { Departure } from "./departure.ts";
import { createdAt, type Entry, lastAccessTime } from "./entry.ts";
import type { EventQueue } from "./event-queue.ts";
import { compareIds } from "./order.ts";
import type { Sessions } from "./sessions.ts";
import type { MemorySettings } from "./settings.ts";

/** Sessions of one user that are ended in one go, within a millisecond. */
const AT_ONCE = 256;

/** Milliseconds of one slice in which the sessions of a user leave the indexes. */
const SLICE = 2;
/** Sessions that leave between two looks at the clock. */
const STRIDE = 16;

/** All ways in which sessions end and are forgotten. `now` is epoch milliseconds. */
export class Endings {
  settings: MemorySettings;
  readonly #sessions: Sessions;
  readonly #counters: Counters;
  readonly #events: EventQueue;

  constructor(
    settings: MemorySettings,
    sessions: Sessions,
    counters: Counters,
    events: EventQueue,
  ) {
    this.settings = settings;
    this.#sessions = sessions;
    this.#counters = counters;
    this.#events = events;
  }

  /** A live or ended session. One that has ended with all of its user's leaves now. */
  find(id: string): Entry | undefined {
    const entry = this.#sessions.find(id);
    if (entry === undefined) return undefined;
    const departure = this.#sessions.departureOf(entry);
    if (departure === undefined) return entry;
    this.#leave(entry, departure);
    return this.#sessions.find(id);
  }

  /** `keep` is false for one that the others which end with it would push out of the ended ones. */
  end(entry: Entry, reason: EndReason, now: number, keep = true): void {
    if (keep) {
      this.#sessions.end(entry, reason, now);
      if (this.#sessions.ended > this.settings.maxEnded) this.#sessions.forgetOldest();
    } else this.#sessions.drop(entry);
    if (this.settings.metrics) this.#counters.ended(reason);
    this.#events.add("ended", entry.state, now, reason);
  }

  /** Whether a session in the indexes of the live ones is due, or has ended with its user's; then it leaves them now. */
  endIfDue(entry: Entry, now: number): boolean {
    const departure = this.#sessions.departureOf(entry);
    if (departure !== undefined) {
      this.#leave(entry, departure);
      return true;
    }
    if (now < entry.dueAt) return false;
    const stage = lifecycle(entry, now);
    if (stage === "live" || stage === "ended") return false;
    this.end(entry, stage, now);
    return true;
  }

  /** Ends what is due until `stop` says so; answers whether that was all. */
  endAllDue(now: number, stop: () => boolean): boolean {
    for (;;) {
      const entries = this.#sessions.someDue(now);
      if (entries.length === 0) return true;
      for (const entry of entries) {
        if (stop()) return false;
        if (!this.endIfDue(entry, now)) this.#sessions.postpone(entry);
      }
    }
  }

  /** Forgets what ended too long ago or is too much, until `stop` says so; answers whether that was all. */
  forgetEnded(now: number, stop: () => boolean): boolean {
    const { maxEnded } = this.settings;
    for (;;) {
      const oldest = this.#sessions.oldestEnded();
      if (oldest === undefined) return true;
      if (this.#sessions.ended <= maxEnded && !this.isForgotten(oldest, now)) return true;
      if (stop()) return false;
      this.#sessions.forgetOldest();
    }
  }

  /** Whether a session ended so long ago that it may no longer be read. */
  isForgotten(entry: Entry, now: number): boolean {
    return entry.endedAt !== undefined && now - entry.endedAt >= this.settings.endedRetention;
  }

  /**
   * Which live sessions of a user have to end so that `self`, or a new one, fits; undefined: it is refused.
   * Those that are due are ended on the way and do not count, nor does `self`.
   */
  overLimit(
    userId: string,
    limit: UserLimit | undefined,
    self: Entry | undefined,
    now: number,
  ): readonly Entry[] | undefined {
    if (limit === undefined) return [];
    const others = this.#sessions.users
      .of(userId)
      .filter((entry) => entry !== self && !this.endIfDue(entry, now));
    if (others.length < limit.max) return [];
    if (limit.policy === "reject") return undefined;
    const time = limit.policy === "evict-oldest" ? createdAt : lastAccessTime;
    return others
      .sort((left, right) => time(left) - time(right) || compareIds(left.state.id, right.state.id))
      .slice(0, others.length - limit.max + 1);
  }

  /**
   * Makes room for one session, beside the room that `leaving` signed-in sessions will make. What is due goes first,
   * then the oldest provisional sessions, then the least recent anonymous ones. False: that would not be enough,
   * and nobody had to go.
   */
  makeRoom(max: number, leaving: number, now: number): boolean {
    const sessions = this.#sessions;
    const missing = (): number => sessions.live - leaving + 1 - max;
    if (missing() <= 0) return true;
    this.endAllDue(now, () => missing() <= 0);
    if (missing() > sessions.anonymous.size) return false;
    while (missing() > 0) {
      const victim = sessions.provisional.first() ?? sessions.anonymous.first();
      if (victim === undefined) return false;
      this.end(victim, "limit", now);
    }
    return true;
  }

  /**
   * Ends all live sessions of a user but `except`, at one instant for readers; answers the ids of those that were not
   * due. Of a user with very many they leave the indexes slice by slice, or earlier when somebody meets them.
   */
  endAllOf(
    userId: string,
    reason: EndReason,
    now: number,
    except: string | undefined,
  ): MaybePromise<readonly string[]> {
    const { users } = this.#sessions;
    if (users.count(userId) > AT_ONCE) return this.#endCrowd(userId, reason, now, except);
    const targets = users.of(userId).filter(({ state }) => state.id !== except);
    const ended: string[] = [];
    for (const [index, entry] of targets.entries()) {
      if (this.endIfDue(entry, now)) continue;
      this.end(entry, reason, now, targets.length - index <= this.settings.maxEnded);
      ended.push(entry.state.id);
    }
    return ended;
  }

  /** 10,000 sessions among a million: 2 ms at a time instead of 10 to 30 in one block. */
  async #endCrowd(
    userId: string,
    reason: EndReason,
    now: number,
    except: string | undefined,
  ): Promise<readonly string[]> {
    const found = except === undefined ? undefined : this.find(except);
    const spared =
      found?.endedAt === undefined && found?.state.userId === userId ? found : undefined;
    const departure = this.#sessions.depart(userId, reason, now, spared);
    if (departure === undefined) return [];
    const { monotonic } = this.settings;
    const failures: unknown[] = [];
    for (;;) {
      const stopAt = monotonic() + SLICE;
      do {
        for (let step = 0; step < STRIDE && departure.left > 0; step++) {
          this.#leave(this.#sessions.users.firstOf(departure.user), departure);
        }
      } while (departure.left > 0 && monotonic() < stopAt);
      try {
        this.#events.deliver();
      } catch (error) {
        // A listener that throws is heard, but not before all have left.
        failures.push(error);
      }
      if (departure.left === 0) break;
      await nextTurn();
    }
    if (failures.length > 0) throw failures[0];
    return departure.ended;
  }

  #leave(entry: Entry, departure: Departure): void {
    const { at, reason, left, ended } = departure;
    const stage = lifecycle(entry, at);
    if (stage === "live") ended.push(entry.state.id);
    this.end(
      entry,
      stage === "live" || stage === "ended" ? reason : stage,
      at,
      left <= this.settings.maxEnded,
    );
  }
}
