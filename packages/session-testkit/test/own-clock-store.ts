import type { SessionRecord, SessionStore, StoreEvent } from "@kyb/session-core/store";
import { ReferenceStore } from "./reference-store.ts";

/** A store as a database has it: it does not look at the caller's clock, and its events arrive later. */
class OwnClockStore extends ReferenceStore {
  time = 0;
  arriving: Promise<void> = Promise.resolve();

  override now(): number {
    return this.time;
  }

  override tell(type: StoreEvent["type"], record: SessionRecord): void {
    const { time } = this;
    this.arriving = this.arriving.then(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      const { id: sessionId, userId } = record.state;
      const event = { type, sessionId, userId, at: time, reason: record.endReason };
      for (const { hear } of this.listeners) hear(event);
    });
  }
}

/** What a driver gives: the store, and a way to the database behind it. */
export interface Connection {
  readonly store: SessionStore;
  setTime(now: number): Promise<void>;
  arrived(): Promise<void>;
  drop(): Promise<void>;
}

export async function connect(): Promise<Connection> {
  const store = new OwnClockStore();
  return {
    store,
    setTime: async (now) => {
      store.time = now;
    },
    arrived: () => store.arriving,
    drop: async () => store.held.clear(),
  };
}
