import type {
  Commit,
  CommitResult,
  SessionRecord,
  SessionStore,
  StoreCall,
  TrackItem,
  UserLimit,
} from "../contract.ts";
import { commitOf, hashOf, queryOf } from "../fixtures.ts";
import type { SeededRandom } from "../random.ts";
import { LostAnswer } from "./arena.ts";

/** A session that the clients of one race share, with the cookie jar of its browser. */
export interface Subject {
  readonly id: string;
  /** Hash of the secret in the jar: changed by whoever hears of a new one. */
  secretHash: string;
}

/** What all clients of one race share. */
export interface RaceWorld {
  readonly subjects: readonly [Subject, ...Subject[]];
  readonly users: readonly [string, ...string[]];
  readonly limit: UserLimit | undefined;
  readonly now: () => number;
}

/** A session as one request found it. */
export interface Opened {
  readonly subject: Subject;
  readonly record: SessionRecord;
}

/** One client of a race: it sends a few requests, one after the other, straight to the store. */
export class RaceClient {
  readonly name: string;
  readonly store: SessionStore;
  readonly world: RaceWorld;
  readonly random: SeededRandom;
  readonly call: StoreCall = { signal: new AbortController().signal };
  #number = 0;

  constructor(name: string, store: SessionStore, world: RaceWorld, random: SeededRandom) {
    this.name = name;
    this.store = store;
    this.world = world;
    this.random = random;
  }

  /** A name that nobody else uses. */
  unique(what: string): string {
    this.#number += 1;
    return `${what} ${this.name}.${this.#number}`;
  }

  /** The hash of a secret that nobody else has. */
  newSecret(): string {
    return hashOf(this.unique("secret"));
  }

  /** What the core does when a request arrives: no session unless it is live and the secret is its own. */
  async open(): Promise<Opened | undefined> {
    const subject = this.random.pick(this.world.subjects);
    const { secretHash } = subject;
    let record = await this.store.find(subject.id, this.call);
    if (record === undefined || record.endedAt !== undefined) return undefined;
    if (record.state.secretHash !== secretHash) return undefined;
    if (this.world.now() >= record.lastActivityTime + record.state.idleTimeout) {
      record = await this.store.endIfDue(subject.id, this.call);
    }
    return record === undefined ? undefined : { subject, record };
  }

  /** Commits with what the request saw, and repeats the commit until it hears an answer. */
  async commit({ record }: Opened, change: Partial<Commit>): Promise<CommitResult> {
    const commit = commitOf(this.unique("op"), { epoch: record.state.epoch, ...change });
    for (;;) {
      try {
        return await this.store.commit(record.state.id, commit, this.call);
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
      }
    }
  }

  /** Sends what was observed; sometimes twice, as one does who did not hear the first answer. */
  async track(...items: readonly TrackItem[]): Promise<void> {
    const batch = { instance: this.unique("batch"), sequence: 1, items };
    await this.store.track(batch, this.call);
    if (this.random.chance(0.2)) await this.store.track(batch, this.call);
  }

  async look(userId: string): Promise<void> {
    await this.store.list(queryOf({ userId, limit: 200 }), this.call);
  }
}
