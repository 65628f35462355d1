import {
  Counters,
  type EndReason,
  lifecycle,
  SessionError,
  type SessionRecord,
  type StoreCall,
  type StoreEvent,
  type StoreSettings,
} from "@kyb/session-core/store";
import type { Callbacks } from "./callbacks.ts";
import { fromExpress, type HeldSession, toExpress } from "./held-session.ts";
import { KnownSessions } from "./known-sessions.ts";

const DAY = 24 * 60 * 60 * 1000;

/** What holds until a manager says otherwise. */
const DEFAULTS: StoreSettings = {
  now: () => Date.now(),
  activityLimit: 1000,
  activityBytes: Number.POSITIVE_INFINITY,
  activityRetention: undefined,
  endedRetention: DAY,
  maxEnded: undefined,
  metrics: true,
};

/**
 * Sessions in an express-session store: reading, writing, ending and forgetting them, and what this process knows and
 * tells of that. Whoever calls has the session's turn.
 */
export class ExpressSessions {
  settings: StoreSettings = DEFAULTS;
  readonly known: KnownSessions = new KnownSessions();
  readonly counters: Counters = new Counters();
  readonly #express: Callbacks;
  readonly #listeners = new Set<{ readonly hear: (event: StoreEvent) => void }>();
  /** What this process has ended, oldest first. */
  readonly #ended: { readonly id: string; readonly at: number }[] = [];

  constructor(express: Callbacks) {
    this.#express = express;
  }

  get now(): number {
    return this.settings.now();
  }

  /** A session as it is stored, also a due or an ended one. */
  async load(id: string, call: StoreCall): Promise<HeldSession | undefined> {
    const stored = await this.#express.get(id, call);
    if (stored === undefined) {
      this.known.forget(id);
      return undefined;
    }
    const held = fromExpress(stored);
    if (held.record.state.id !== id) {
      throw new SessionError("RECORD_UNREADABLE", `Another session is stored as ${id}.`);
    }
    if (this.isForgotten(held.record)) return undefined;
    this.known.note(held.record);
    return held;
  }

  /** A session that may be changed. One that is met due is ended. */
  async live(id: string, call: StoreCall): Promise<HeldSession | undefined> {
    const held = await this.load(id, call);
    return held === undefined ? undefined : this.liveOf(held, call);
  }

  /** The session if it is live; one that is due is ended. */
  async liveOf(held: HeldSession, call: StoreCall): Promise<HeldSession | undefined> {
    const stage = lifecycle(held.record, this.now);
    if (stage === "live") return held;
    if (stage !== "ended") await this.end(held, stage, call);
    return undefined;
  }

  /** Every session that can be read. Throws `UNSUPPORTED`. */
  async all(call: StoreCall): Promise<readonly SessionRecord[]> {
    const records: SessionRecord[] = [];
    for (const stored of await this.#express.all(call)) {
      const record = readable(stored);
      if (record !== undefined && !this.isForgotten(record)) records.push(record);
    }
    return records;
  }

  async write(held: HeldSession, call: StoreCall): Promise<void> {
    const { endedRetention } = this.settings;
    await this.#express.set(held.record.state.id, toExpress(held, this.now, endedRetention), call);
    this.known.note(held.record);
  }

  async end(held: HeldSession, endReason: EndReason, call: StoreCall): Promise<void> {
    const endedAt = this.now;
    const record = { ...held.record, endedAt, endReason };
    await this.write({ ...held, record }, call);
    if (this.settings.metrics) this.counters.ended(endReason);
    this.#ended.push({ id: record.state.id, at: endedAt });
    this.tell("ended", record);
    await this.forgetEnded(call);
  }

  /** Deletes what this process ended too long ago, or what is too much. */
  async forgetEnded(call: StoreCall): Promise<void> {
    const { maxEnded = Number.POSITIVE_INFINITY, endedRetention } = this.settings;
    const isOld = (at: number): boolean => this.now - at >= endedRetention;
    for (let [oldest] = this.#ended; oldest !== undefined; [oldest] = this.#ended) {
      if (this.#ended.length <= maxEnded && !isOld(oldest.at)) return;
      this.#ended.shift();
      await this.#express.destroy(oldest.id, call);
    }
  }

  isForgotten({ endedAt }: SessionRecord): boolean {
    return endedAt !== undefined && this.now - endedAt >= this.settings.endedRetention;
  }

  subscribe(hear: (event: StoreEvent) => void): () => void {
    const listener = { hear };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(type: StoreEvent["type"], { state, endReason }: SessionRecord): void {
    const reason = type === "ended" ? endReason : undefined;
    const event = { type, sessionId: state.id, userId: state.userId, at: this.now, reason };
    for (const { hear } of [...this.#listeners]) hear(event);
  }

  deafen(): void {
    this.#listeners.clear();
  }
}

/** What cannot be read is left out: a list must not fail for one record, or for sessions of express-session itself. */
function readable(stored: unknown): SessionRecord | undefined {
  try {
    return fromExpress(stored).record;
  } catch (error) {
    if (error instanceof SessionError) return undefined;
    throw error;
  }
}
