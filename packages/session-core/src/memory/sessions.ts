import type { ActivityLog } from "../activity/log.ts";
import { deadline, isProvisional } from "../lifecycle.ts";
import type { ActiveUsers } from "../metrics/active-users.ts";
import type { EndReason, SessionRecord, SessionState } from "../record.ts";
import type { Departure } from "./departure.ts";
import { EndedQueue } from "./ended-queue.ts";
import { Entry } from "./entry.ts";
import { IdTable } from "./id-table.ts";
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

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

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
  readonly #byId = new IdTable((slot) => this.#slots.entry(slot).state.id);
  readonly #log: ActivityLog;
  readonly #activeUsers: ActiveUsers;
  readonly #userAgents = new SharedTexts();
  readonly #ended = new EndedQueue();
  #totalLength = 0;
  /** By the users' numbers. */
  readonly #departures = new Map<number, Departure>();
  /** Sessions that have ended with their user's and are still in the indexes of the live ones. */
  #departing = 0;

  /** Live sessions by creation, in two parts, so that the oldest provisional one is at hand. */
  readonly provisional: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  readonly settled: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  /** Live sessions by last access, in two parts, so that the least recent anonymous one is at hand. */
  readonly anonymous: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  readonly signedIn: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  /** Live sessions by deadline, or earlier. */
  readonly #due: Order = new Order(this.#slots, DUE_AT, DUE_PLACE);
  readonly users: UserIndex;

  readonly endedByCreation: Order = new Order(this.#slots, CREATED_AT, CREATED_PLACE);
  readonly endedByAccess: Order = new Order(this.#slots, LAST_ACCESS, ACCESS_PLACE);
  readonly endedUsers: UserIndex = new UserIndex(this.#slots);

  constructor(log: ActivityLog, activeUsers: ActiveUsers) {
    this.#log = log;
    this.#activeUsers = activeUsers;
    this.users = new UserIndex(this.#slots, activeUsers);
  }

  get live(): number {
    return this.#due.size - this.#departing;
  }

  /** Live sessions of users. */
  get liveSignedIn(): number {
    return this.signedIn.size - this.#departing;
  }

  get ended(): number {
    return this.#ended.size;
  }

  /** Sum over the live sessions of last access minus creation, milliseconds. */
  get totalLength(): number {
    // While thousands leave, their mean is taken for that of all: nobody looks at each of them at that instant.
    return this.#departing === 0
      ? this.#totalLength
      : (this.#totalLength * this.live) / this.#due.size;
  }

  /** A live or ended session. */
  find(id: string): Entry | undefined {
    const slot = this.#byId.get(id);
    return slot === 0 ? undefined : this.#slots.entry(slot);
  }

  /**
   * Takes over a state that nobody else holds yet. `observed`: what was seen of it elsewhere; without it the session is
   * as good as its state's creation.
   */
  add(state: Mutable<SessionState>, observed?: Observed): Entry {
    // What many sessions have in common is kept once.
    state.userAgent = this.#userAgents.take(state.userAgent);
    if (state.retired.length === 0) state.retired = NONE_RETIRED;
    const entry = this.#slots.take((page, slot) => new Entry(state, page, slot));
    if (observed !== undefined) this.#observe(entry, observed);
    this.#byId.add(state.id, entry.slot);
    this.#creationOrder(entry).add(entry);
    this.#accessOrder(entry).add(entry);
    entry.dueAt = deadline(entry);
    this.#due.add(entry);
    if (state.userId !== undefined) state.userId = this.users.add(state.userId, entry);
    return entry;
  }

  /** Puts a new state in the place of the old one. */
  replace(entry: Entry, state: SessionState): void {
    const creation = this.#creationOrder(entry);
    const access = this.#accessOrder(entry);
    const hasMoved = entry.state.userId !== state.userId;
    if (hasMoved) this.users.remove(entry);
    entry.state = state;
    this.#rearrange(entry, creation, this.#creationOrder(entry));
    this.#rearrange(entry, access, this.#accessOrder(entry));
    this.#hasten(entry);
    if (hasMoved && state.userId !== undefined) this.users.add(state.userId, entry);
  }

  /** Moves the last access forward. */
  accessed(entry: Entry, time: number): void {
    if (!(time > entry.lastAccessTime)) return;
    this.#totalLength += time - entry.lastAccessTime;
    entry.lastAccessTime = time;
    this.#accessOrder(entry).moved(entry);
  }

  /** A request of this session: its user is there. */
  requested(entry: Entry, now: number): void {
    const { userId } = entry.state;
    if (userId === undefined) return;
    const user = entry.endedAt === undefined ? entry.user : this.users.find(userId);
    if (user === 0) this.#activeUsers.add(userId, now);
    else this.users.setSeen(user, this.#activeUsers.note(this.users.seen(user), now));
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

  /**
   * Lets all live sessions of a user but `except` depart: from now on they count nowhere, and the user has none. Each of them has
   * still to be ended or dropped. Costs the same for one session and for a million.
   */
  depart(
    userId: string,
    reason: EndReason,
    at: number,
    except: Entry | undefined,
  ): Departure | undefined {
    if (except !== undefined) this.users.remove(except);
    const user = this.users.detach(userId);
    if (except !== undefined) this.users.add(userId, except);
    if (user === 0) return undefined;
    const departure: Departure = { user, reason, at, left: this.users.countOf(user), ended: [] };
    this.#departures.set(user, departure);
    this.#departing += departure.left;
    return departure;
  }

  /** What has ended a session that is still in the indexes of the live ones. */
  departureOf(entry: Entry): Departure | undefined {
    if (this.#departing === 0 || entry.endedAt !== undefined) return undefined;
    return this.#departures.get(entry.user);
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
    this.endedUsers.remove(entry);
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
    const departure = this.departureOf(entry);
    if (departure !== undefined) {
      this.#departing--;
      departure.left--;
      if (departure.left === 0) this.#departures.delete(departure.user);
    }
    this.users.remove(entry);
  }

  #forget(entry: Entry): void {
    this.#byId.delete(entry.state.id, entry.slot);
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
