import type { ActivityLog } from "../activity/log.ts";
import { ShardedMap } from "../internal/sharded-map.ts";
import { deadline, isProvisional } from "../lifecycle.ts";
import type { EndReason, SessionRecord, SessionState } from "../record.ts";
import { EndedQueue } from "./ended-queue.ts";
import { Entry } from "./entry.ts";
import { Order } from "./order.ts";
import { SharedTexts } from "./shared-texts.ts";
import {
  ACCESS_PLACE,
  CREATED_AT,
  CREATED_PLACE,
  DUE_AT,
  DUE_PLACE,
  LAST_ACCESS,
  Slots,
} from "./slots.ts";
import { UserIndex } from "./user-index.ts";

const NONE_RETIRED: SessionState["retired"] = Object.freeze([]);

/** What moves while a session is used. */
type Observed = Pick<
  SessionRecord,
  "lastAccessTime" | "lastActivityTime" | "requestCount" | "confirmed"
>;

/**
 * All sessions with all their indexes, which agree at every moment between two calls. It decides nothing: who ends
 * and why is the caller's business.
 *
 * A session that is touched stays where it is by deadline and is filed anew only when its old deadline has come; one
 * whose deadline comes nearer is filed anew at once.
 */
export class Sessions {
  readonly #slots = new Slots();
  readonly #byId = new ShardedMap<Entry>();
  readonly #log: ActivityLog;
  readonly #userAgents = new SharedTexts();
  readonly #ended = new EndedQueue();
  #totalLength = 0;

  /** Live sessions by creation, in two parts, so that the oldest provisional one is at hand. */
  readonly provisional: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  readonly settled: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  /** Live sessions by last access, in two parts, so that the least recent anonymous one is at hand. */
  readonly anonymous: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  readonly signedIn: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  /** Live sessions by deadline, or earlier. */
  readonly #due: Order = new Order(this.#slots, DUE_AT, DUE_PLACE);
  readonly users: UserIndex = new UserIndex();

  readonly endedByCreation: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  readonly endedByAccess: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  readonly endedUsers: UserIndex = new UserIndex();

  constructor(log: ActivityLog) {
    this.#log = log;
  }

  get live(): number {
    return this.#due.size;
  }

  get ended(): number {
    return this.#ended.size;
  }

  /** Sum over the live sessions of last access minus creation, milliseconds. */
  get totalLength(): number {
    return this.#totalLength;
  }

  /** A live or ended session. */
  find(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** `observed`: what was seen of it elsewhere; without it the session is as good as its state's creation. */
  add(state: SessionState, observed?: Observed): Entry {
    // What many sessions have in common is kept once.
    const userAgent = this.#userAgents.take(state.userAgent);
    const retired = state.retired.length === 0 ? NONE_RETIRED : state.retired;
    const own: SessionState = { ...state, userAgent, retired };
    const entry = this.#slots.take((page, slot) => new Entry(own, page, slot));
    if (observed !== undefined) this.#observe(entry, observed);
    this.#byId.set(state.id, entry);
    this.#creationOrder(entry).add(entry);
    this.#accessOrder(entry).add(entry);
    entry.dueAt = deadline(entry);
    this.#due.add(entry);
    if (state.userId !== undefined) this.users.add(state.userId, entry);
    return entry;
  }

  /** Puts a new state in the place of the old one. */
  replace(entry: Entry, state: SessionState): void {
    const creation = this.#creationOrder(entry);
    const access = this.#accessOrder(entry);
    const { userId } = entry.state;
    entry.state = state;
    this.#rearrange(entry, creation, this.#creationOrder(entry));
    this.#rearrange(entry, access, this.#accessOrder(entry));
    this.#hasten(entry);
    if (userId === state.userId) return;
    if (userId !== undefined) this.users.remove(userId, entry);
    if (state.userId !== undefined) this.users.add(state.userId, entry);
  }

  /** Moves the last access forward. */
  accessed(entry: Entry, time: number): void {
    if (!(time > entry.lastAccessTime)) return;
    this.#totalLength += time - entry.lastAccessTime;
    entry.lastAccessTime = time;
    this.#accessOrder(entry).moved(entry);
  }

  /** The client has the session's token. */
  confirm(entry: Entry): void {
    const creation = this.#creationOrder(entry);
    entry.confirmed = true;
    this.#rearrange(entry, creation, this.#creationOrder(entry));
    // The idle timeout may be shorter than what was left of the provisional one.
    this.#hasten(entry);
  }

  /** Some live sessions to look at, because they may be due; none only if nothing is due. */
  someDue(now: number): Entry[] {
    return this.#due.someUntil(now);
  }

  /** Files a session that is not due by its present deadline. */
  postpone(entry: Entry): void {
    entry.dueAt = deadline(entry);
    this.#due.refile(entry);
  }

  /** Ends a live session. It stays readable until {@link forgetOldest} takes it. */
  end(entry: Entry, reason: EndReason, now: number): void {
    this.#takeOut(entry);
    entry.endedAt = now;
    entry.endReason = reason;
    this.#ended.push(entry);
    this.endedByCreation.add(entry);
    this.endedByAccess.add(entry);
    const { userId } = entry.state;
    if (userId !== undefined) this.endedUsers.add(userId, entry);
  }

  /** Ends a live session and forgets it at once: for those that others would push out before anybody could look. */
  drop(entry: Entry): void {
    this.#takeOut(entry);
    this.#forget(entry);
  }

  /** The session that ended first. */
  oldestEnded(): Entry | undefined {
    return this.#ended.oldest();
  }

  /** Forgets the session that ended first. */
  forgetOldest(): void {
    const entry = this.#ended.shift();
    if (entry === undefined) return;
    this.endedByCreation.remove(entry);
    this.endedByAccess.remove(entry);
    const { userId } = entry.state;
    if (userId !== undefined) this.endedUsers.remove(userId, entry);
    this.#forget(entry);
  }

  /** Gives up the timeline of the session that ended first of those that have one. */
  reclaimLog(): boolean {
    const entry = this.#ended.oldestWithLog();
    if (entry === undefined) return false;
    this.#log.abandon(entry);
    return true;
  }

  /** Before the entry is in any index: they are by these times. */
  #observe(entry: Entry, observed: Observed): void {
    entry.lastAccessTime = observed.lastAccessTime;
    entry.lastActivityTime = observed.lastActivityTime;
    entry.requestCount = observed.requestCount;
    entry.confirmed = observed.confirmed;
    this.#totalLength += entry.lastAccessTime - entry.state.createdAt;
  }

  #takeOut(entry: Entry): void {
    this.#creationOrder(entry).remove(entry);
    this.#accessOrder(entry).remove(entry);
    this.#due.remove(entry);
    this.#totalLength -= entry.lastAccessTime - entry.state.createdAt;
    const { userId } = entry.state;
    if (userId !== undefined) this.users.remove(userId, entry);
  }

  #forget(entry: Entry): void {
    this.#byId.delete(entry.state.id);
    this.#userAgents.release(entry.state.userAgent);
    this.#log.abandon(entry);
    this.#slots.giveBack(entry.slot);
  }

  /** Files a session anew if its deadline has come nearer; one that has moved away can wait for its turn. */
  #hasten(entry: Entry): void {
    if (deadline(entry) < entry.dueAt) this.postpone(entry);
  }

  #creationOrder(entry: Entry): Order {
    const first = entry.state.userId === undefined && isProvisional(entry);
    return first ? this.provisional : this.settled;
  }

  #accessOrder(entry: Entry): Order {
    return entry.state.userId === undefined ? this.anonymous : this.signedIn;
  }

  #rearrange(entry: Entry, from: Order, to: Order): void {
    if (from === to) return;
    from.remove(entry);
    to.add(entry);
  }
}
