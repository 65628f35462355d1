import type { StoreEvent } from "@kyb/session-core/store";
import type { Connection } from "./connection.ts";
import type { Names } from "./identifiers.ts";
import type { PostgresListener } from "./options.ts";
import { decodeText } from "./stored-text.ts";

/** Milliseconds between two looks at the events while somebody listens. */
const POLL = 1000;

type Listener = (event: StoreEvent) => void;

interface News {
  /** A snapshot: what was committed by then has been told. */
  readonly since: string;
  /** The highest number of an event then. */
  readonly seq: number;
  readonly events: readonly (readonly [
    type: StoreEvent["type"],
    sessionId: string,
    userId: string | null,
    at: number,
    reason: StoreEvent["reason"] | null,
  ])[];
}

/**
 * Tells what happened to sessions, on any instance, by reading the table of events: once a second, at once after this
 * process did something, and at once after a notification where there is a listening connection. A notification only
 * wakes; what is told comes from the table, so a lost one costs at most a second.
 */
export class Newsroom {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #notices: PostgresListener | undefined;
  readonly #listeners = new Set<{ readonly hear: Listener }>();
  #since: string | undefined;
  #seq = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: Promise<void> | undefined;
  #isStale = false;
  #isClosed = false;
  #isListening = false;
  #isCalling = false;

  constructor(connection: Connection, names: Names, notices: PostgresListener | undefined) {
    this.#connection = connection;
    this.#names = names;
    this.#notices = notices;
  }

  subscribe(hear: Listener): () => void {
    const listener = { hear };
    this.#listeners.add(listener);
    this.wake();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Resolves when whatever happens from now on will be told; undefined: it will. */
  ready(): Promise<void> | undefined {
    return this.#listeners.size === 0 || this.#since !== undefined ? undefined : this.#reading;
  }

  /** This process changed something: looks for news, and lets other processes look. */
  changed(): void {
    this.wake();
    if (this.#notices === undefined || this.#isCalling) return;
    this.#isCalling = true;
    void this.#call();
  }

  /** Looks for news soon, if anybody listens. */
  readonly wake = (): void => {
    if (this.#listeners.size === 0 || this.#isClosed) return;
    this.#isStale = true;
    this.#reading ??= this.#read();
  };

  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#since = undefined;
    if (!this.#isListening || this.#notices === undefined) return;
    this.#isListening = false;
    this.#notices.removeListener("notification", this.wake);
    this.#notices.removeListener("end", this.#deaf);
    this.#notices.removeListener("error", this.#deaf);
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.#listen();
      while (this.#isStale && this.#listeners.size > 0) {
        this.#isStale = false;
        await this.#tellNews();
      }
    } catch {
      // The database is out of reach, which every other call reports. Nothing is lost: the next look begins where
      // the last one that succeeded ended.
    }
    this.#reading = undefined;
    if (this.#listeners.size === 0) return;
    this.#timer = setTimeout(this.wake, POLL);
    // A look at the events keeps no process alive. Not all runtimes have this.
    this.#timer.unref?.();
  }

  async #tellNews(): Promise<void> {
    const answer = await this.#connection.value(
      `SELECT ${this.#names.fn("news")}($1, $2) AS answer`,
      [this.#since ?? null, this.#seq],
    );
    const { since, seq, events } = JSON.parse(String(answer)) as News;
    if (this.#listeners.size === 0) return;
    this.#since = since;
    this.#seq = seq;
    for (const [type, sessionId, userId, at, reason] of events) {
      const event = {
        type,
        sessionId,
        userId: userId === null ? undefined : decodeText(userId),
        at,
        reason: reason ?? undefined,
      };
      for (const { hear } of [...this.#listeners]) hear(event);
    }
  }

  async #listen(): Promise<void> {
    if (this.#notices === undefined || this.#isListening) return;
    this.#isListening = true;
    this.#notices.on("notification", this.wake);
    this.#notices.on("end", this.#deaf);
    this.#notices.on("error", this.#deaf);
    try {
      await this.#notices.query(`LISTEN ${this.#channel}`);
    } catch {
      // A lost connection: the looks at the table go on without it.
      this.#deaf();
    }
  }

  /** The listening connection is lost, and stays so: a client of `pg` does not connect twice. */
  readonly #deaf = (): void => {
    this.wake();
  };

  /**
   * Notifies other processes, many changes at a time and in a transaction of its own: PostgreSQL commits transactions
   * that notify one after the other. Never rejects.
   */
  async #call(): Promise<void> {
    try {
      await this.#connection.value("SELECT pg_notify($1, '')", [this.#channelName]);
    } catch {
      // The others look by themselves within a second.
    }
    this.#isCalling = false;
  }

  get #channelName(): string {
    return `${this.#names.schema}.${this.#names.table}`.slice(0, 63);
  }

  get #channel(): string {
    return `"${this.#channelName}"`;
  }
}
