import { SessionError, type StoreCall } from "@kyb/session-core/store";
import type { RedisConnection } from "./connection.ts";
import { storeError } from "./driver-errors.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import type { ScriptRunner } from "./script-runner.ts";

/** Milliseconds that a lock is held at most: what its holder writes is refused afterwards. */
const LEASE = 3000;
/** Milliseconds between two tries, half of it at random. */
const PATIENCE = 10;

/**
 * One at a time, over all processes: for decisions that look at several slots. Who waits in this process stands in line;
 * between processes it is tried again. A holder that died is waited for until its lease is over.
 */
export class LeaseLock {
  readonly #connection: RedisConnection;
  readonly #runner: ScriptRunner;
  readonly #queue = new KeyedQueue();

  constructor(connection: RedisConnection, runner: ScriptRunner) {
    this.#connection = connection;
    this.#runner = runner;
  }

  /** `work` hears the store's time until which it may write. */
  hold<Result>(
    base: string,
    name: string,
    call: StoreCall,
    work: (latest: number) => Promise<Result>,
  ): Promise<Result> {
    return this.#queue.run(`${base}${name}`, async () => {
      const token = crypto.randomUUID();
      await this.#acquire(`${base}${name}`, token, call);
      const latest = this.#runner.clock.now() + LEASE;
      try {
        return await work(latest);
      } finally {
        // Nobody waits for it: while the lock's slot moves it takes a while, and the work is done.
        this.#runner.run("unlock", base, [name, token]).catch(() => {
          // The lease ends by itself.
        });
      }
    });
  }

  async #acquire(key: string, token: string, { signal }: StoreCall): Promise<void> {
    for (;;) {
      if (signal.aborted) {
        throw new SessionError("STORE_UNAVAILABLE", "Somebody else's sign-in took too long.", {
          cause: signal.reason,
        });
      }
      try {
        const args = ["SET", key, token, "NX", "PX", String(LEASE)];
        if ((await this.#connection.send(key, args)) !== null) return;
      } catch (error) {
        throw storeError(error);
      }
      const delay = PATIENCE * (0.5 + Math.random() / 2);
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}
