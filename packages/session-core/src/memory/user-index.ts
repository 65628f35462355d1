import { NumberPool } from "../internal/number-pool.ts";
import { ShardedMap } from "../internal/sharded-map.ts";
import type { Entry } from "./entry.ts";
import { type Slots, USER, USER_NEXT, USER_PREVIOUS } from "./slots.ts";

/** Users of one page; a power of two. */
const PAGE_USERS = 1024;
const PAGE_SHIFT = 10;
const PAGE_MASK: number = PAGE_USERS - 1;

/** What is kept of a user: three words. */
const WORDS = 3;
/** Slot of the session that came first. */
const FIRST = 0;
const COUNT = 1;
/** When the user was last seen, as the metrics count it. */
const SEEN = 2;

/** Remembers when users were seen who have no session any more. */
export interface Attendance {
  came(userId: string): number;
  left(userId: string, seen: number): void;
}

/**
 * The sessions of each user, in the order in which they came: a ring of slots, 12 bytes a user and 12 a session. A
 * `Set` for each user who has two of them would cost 75 a session.
 *
 * Users have numbers. One whose sessions all end at once is detached: the sessions keep the number, but the id no
 * longer leads to it.
 */
export class UserIndex {
  readonly #slots: Slots;
  readonly #attendance: Attendance | undefined;
  readonly #numbers = new ShardedMap<number>();
  readonly #pages: (Uint32Array | undefined)[] = [];
  readonly #pool = new NumberPool(PAGE_USERS, {
    open: (page) => {
      this.#pages[page] = new Uint32Array(PAGE_USERS * WORDS);
    },
    close: (page) => {
      this.#pages[page] = undefined;
    },
  });

  constructor(slots: Slots, attendance?: Attendance) {
    this.#slots = slots;
    this.#attendance = attendance;
    // Number 0 is nobody's: a session that has it belongs to no user.
    this.#pool.take();
  }

  /** The number of a user who has sessions; 0: there are none. */
  find(userId: string): number {
    return this.#numbers.get(userId) ?? 0;
  }

  /** Adds a session that is in no index of users. Answers the copy of the user's id that the others hold. */
  add(userId: string, { slot }: Entry): string {
    const user = this.find(userId) || this.#open(userId, slot);
    const first = this.#get(user, FIRST);
    const last = first === slot ? slot : this.#slots.word(first, USER_PREVIOUS);
    this.#link(last, slot);
    this.#link(slot, first);
    this.#slots.setWord(slot, USER, user);
    this.#set(user, COUNT, this.#get(user, COUNT) + 1);
    return this.#slots.entry(first).state.userId ?? userId;
  }

  /** Takes out a session; its user's id is still what it was added with. */
  remove({ slot, state }: Entry): void {
    const user = this.#slots.word(slot, USER);
    if (user === 0) return;
    const next = this.#slots.word(slot, USER_NEXT);
    this.#link(this.#slots.word(slot, USER_PREVIOUS), next);
    if (this.#get(user, FIRST) === slot) this.#set(user, FIRST, next);
    this.#slots.setWord(slot, USER, 0);
    const count = this.#get(user, COUNT) - 1;
    this.#set(user, COUNT, count);
    if (count > 0) return;
    const { userId = "" } = state;
    if (this.find(userId) === user) this.detach(userId);
    this.#pool.giveBack(user);
  }

  /** Makes a user's id lead to no session; the sessions stay together. Answers the user's number, 0: there are none. */
  detach(userId: string): number {
    const user = this.find(userId);
    if (user === 0) return 0;
    this.#numbers.delete(userId);
    this.#attendance?.left(userId, this.#get(user, SEEN));
    return user;
  }

  count(userId: string): number {
    return this.countOf(this.find(userId));
  }

  countOf(user: number): number {
    return user === 0 ? 0 : this.#get(user, COUNT);
  }

  /** A copy, which stays as it is while sessions end. */
  of(userId: string): Entry[] {
    const entries: Entry[] = [];
    const user = this.find(userId);
    if (user === 0) return entries;
    const first = this.#get(user, FIRST);
    let slot = first;
    do {
      entries.push(this.#slots.entry(slot));
      slot = this.#slots.word(slot, USER_NEXT);
    } while (slot !== first);
    return entries;
  }

  /** The session of a user that came first. */
  firstOf(user: number): Entry {
    return this.#slots.entry(this.#get(user, FIRST));
  }

  seen(user: number): number {
    return this.#get(user, SEEN);
  }

  setSeen(user: number, seen: number): void {
    this.#set(user, SEEN, seen);
  }

  #open(userId: string, slot: number): number {
    const user = this.#pool.take();
    this.#numbers.set(userId, user);
    this.#set(user, FIRST, slot);
    this.#set(user, COUNT, 0);
    this.#set(user, SEEN, this.#attendance?.came(userId) ?? 0);
    return user;
  }

  #link(slot: number, next: number): void {
    this.#slots.setWord(slot, USER_NEXT, next);
    this.#slots.setWord(next, USER_PREVIOUS, slot);
  }

  #get(user: number, field: number): number {
    const page = this.#pages[user >>> PAGE_SHIFT] as Uint32Array;
    return page[(user & PAGE_MASK) * WORDS + field] as number;
  }

  #set(user: number, field: number, value: number): void {
    const page = this.#pages[user >>> PAGE_SHIFT] as Uint32Array;
    page[(user & PAGE_MASK) * WORDS + field] = value;
  }
}
