import { deadline, type Gauges, isProvisional, type SessionRecord } from "@kyb/session-core/store";

interface Known {
  readonly id: string;
  readonly createdAt: number;
  readonly lastAccessTime: number;
  readonly deadline: number;
  readonly isSignedIn: boolean;
  readonly isProvisional: boolean;
}

/**
 * The live sessions that this process has come across: what an express-session store cannot be asked about. It counts
 * them and finds those that are due; the store has the last word about each.
 */
export class KnownSessions {
  readonly #live = new Map<string, Known>();
  #signedIn = 0;
  #provisional = 0;
  #length = 0;

  get size(): number {
    return this.#live.size;
  }

  /** A session as it now is. */
  note(record: SessionRecord): void {
    this.forget(record.state.id);
    if (record.endedAt !== undefined) return;
    const { id, createdAt, userId } = record.state;
    const known: Known = {
      id,
      createdAt,
      lastAccessTime: record.lastAccessTime,
      deadline: deadline(record),
      isSignedIn: userId !== undefined,
      isProvisional: userId === undefined && isProvisional(record),
    };
    this.#live.set(id, known);
    this.#count(known, 1);
  }

  /** A session that is over, or gone from the store. */
  forget(id: string): void {
    const known = this.#live.get(id);
    if (known === undefined) return;
    this.#live.delete(id);
    this.#count(known, -1);
  }

  /** Ids of those that seem to be due. */
  due(now: number): string[] {
    return [...this.#live.values()].filter((known) => known.deadline <= now).map(({ id }) => id);
  }

  /** Ids of those that may have to make room, first the oldest provisional ones, then the least recent anonymous ones. */
  victims(): string[] {
    const anonymous = [...this.#live.values()].filter(({ isSignedIn }) => !isSignedIn);
    const rank = (known: Known): number => (known.isProvisional ? 0 : 1);
    const time = (known: Known): number =>
      known.isProvisional ? known.createdAt : known.lastAccessTime;
    return anonymous
      .sort((a, b) => rank(a) - rank(b) || time(a) - time(b) || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
  }

  gauges(): Gauges {
    return {
      activeSessions: this.#live.size,
      signedInSessions: this.#signedIn,
      anonymousSessions: this.#live.size - this.#signedIn,
      provisionalSessions: this.#provisional,
      totalLength: this.#length,
      activityDropped: 0,
      lostSessions: 0,
    };
  }

  #count(known: Known, by: 1 | -1): void {
    if (known.isSignedIn) this.#signedIn += by;
    if (known.isProvisional) this.#provisional += by;
    this.#length += by * (known.lastAccessTime - known.createdAt);
  }
}
