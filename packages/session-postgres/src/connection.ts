import { SessionError, type StoreCall } from "@kyb/session-core/store";
import { isRetryable, translated } from "./driver-errors.ts";

/** What the store needs of a pool: a `Pool` of `pg` has it, a `PGlite` too. */
export interface PostgresPool {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export type Parameter = string | number | boolean | null;

/** A connection of a pool that lends them. */
interface Borrowed extends PostgresPool {
  release(destroy?: boolean): void;
  on(event: "error", listener: () => void): unknown;
  removeListener(event: "error", listener: () => void): unknown;
}

interface LendingPool extends PostgresPool {
  connect(): Promise<Borrowed>;
}

/** Longest pause before a transaction is made again, milliseconds; the first one is up to a tenth of it. */
const MAX_PAUSE = 100;
/** Of a transaction whose caller never gives up. */
const MOST_ATTEMPTS = 100;

/**
 * Runs statements, each a transaction of its own, and makes those again that PostgreSQL undid for the sake of others.
 * Rejects with a `SessionError`.
 */
export class Connection {
  readonly #pool: PostgresPool;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /** The one value that the statement answers. */
  async value(text: string, params: readonly Parameter[], call?: StoreCall): Promise<unknown> {
    const signal = call?.signal;
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows } = await this.#run(text, [...params], signal);
        const [row] = rows;
        return typeof row === "object" && row !== null ? Object.values(row)[0] : undefined;
      } catch (error) {
        if (!isRetryable(error) || attempt === MOST_ATTEMPTS) throw translated(error);
        await pause(Math.min(attempt * (MAX_PAUSE / 10), MAX_PAUSE));
        if (isOver(signal)) throw translated(error);
      }
    }
  }

  async #run(
    text: string,
    params: unknown[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly rows: readonly unknown[] }> {
    if (isOver(signal)) throw tooLate();
    if (!isLending(this.#pool)) return this.#pool.query(text, params);
    const client = await this.#pool.connect();
    let isReturned = false;
    const giveBack = (destroy: boolean): void => {
      if (isReturned) return;
      isReturned = true;
      client.release(destroy);
      client.removeListener("error", ignore);
    };
    // The pool hears of lost connections only while it has them; without a listener one would end the process. What is
    // lost meanwhile is told by the statement, which fails.
    client.on("error", ignore);
    // A statement that waited for its connection until nobody waits for its answer must not be executed any more.
    if (isOver(signal)) {
      giveBack(false);
      throw tooLate();
    }
    // Nobody knows what the server makes of a statement that takes too long: its connection is not used again.
    const giveUp = (): void => giveBack(true);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await client.query(text, params);
    } finally {
      signal?.removeEventListener("abort", giveUp);
      giveBack(false);
    }
  }
}

/** A `Pool` of `pg` lends connections and says how many it has; `PGlite` and a `Client` do not. */
function isLending(pool: PostgresPool): pool is LendingPool {
  return "connect" in pool && typeof pool.connect === "function" && "totalCount" in pool;
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function tooLate(): SessionError {
  return new SessionError("STORE_UNAVAILABLE", "The time was up before PostgreSQL could be asked.");
}

const ignore = (): void => undefined;

/** Up to this many milliseconds, so that those who undid each other do not meet again. */
function pause(longest: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.random() * longest);
  });
}
