import type { ActivityEntry, TrackBatch, TrackItem } from "@kyb/session-core/store";
import { dependentColumns, isSound, type Row } from "./row.ts";
import type { Step } from "./step.ts";
import { appendEntries, timelineRule } from "./timeline.ts";

/** Records a batch of observations; one that was recorded before is left alone. */
export function track(step: Step, batch: TrackBatch): void {
  if (!acceptBatch(step, batch)) return;
  const sessions = new Map<string, Observed | undefined>();
  for (const item of batch.items) {
    let session = sessions.get(item.id);
    if (session === undefined && !sessions.has(item.id)) {
      const row = step.sessions.find(item.id);
      session = row === undefined ? undefined : new Observed(step, row);
      sessions.set(item.id, session);
    }
    if (item.request !== undefined && step.settings.metrics) {
      step.totals.add("requests", 1);
      step.counts.request(item.request, session?.row.user_id ?? null, step.now);
    }
    session?.observe(item);
  }
  for (const session of sessions.values()) session?.store();
}

/** A session of a batch: as it is stored, and what has been seen of it since. Each is read and written once. */
class Observed {
  readonly row: Row;
  readonly #step: Step;
  /** Undefined: the session is over, or not this program's to judge. */
  #seen: Seen | undefined;
  readonly #entries: ActivityEntry[] = [];

  constructor(step: Step, row: Row) {
    this.#step = step;
    this.row = row;
    if (!isSound(row) || step.live(row) === undefined) return;
    const { last_access, last_activity, request_count, confirmed } = row;
    this.#seen = { last_access, last_activity, request_count, confirmed };
  }

  observe(item: TrackItem): void {
    const seen = this.#seen;
    if (seen === undefined) return;
    const { now } = this.#step;
    const time = item.seenAt <= now ? item.seenAt : Math.min(item.seenAt, this.row.absolute_end);
    if (item.access && time > seen.last_access) seen.last_access = time;
    if (item.active && time > seen.last_activity) seen.last_activity = time;
    if (item.request !== undefined) seen.request_count++;
    if (item.entry !== undefined) this.#entries.push(item.entry);
    if (!item.confirm || seen.confirmed === 1) return;
    seen.confirmed = 1;
    // The idle timeout may be shorter than what was left of the provisional one.
    if (now < this.#dependent(seen).deadline) return;
    this.store();
    this.#seen = undefined;
    const confirmed = this.#step.sessions.find(this.row.id);
    if (confirmed !== undefined) this.#step.endIfDue(confirmed);
  }

  store(): void {
    const { row } = this;
    if (this.#seen === undefined) return;
    const { db, settings, now, sessions } = this.#step;
    const last_entry = appendEntries(db, row, this.#entries, timelineRule(settings, now));
    sessions.update(row, { ...this.#seen, ...this.#dependent(this.#seen), last_entry });
  }

  #dependent({ last_activity, confirmed }: Seen): Pick<Row, "provisional" | "deadline"> {
    const { user_id, idle_timeout, absolute_end, provisional_end } = this.row;
    const facts = { user_id, idle_timeout, absolute_end, provisional_end, ended_at: null };
    return dependentColumns({ ...facts, last_activity, confirmed });
  }
}

interface Seen {
  last_access: number;
  last_activity: number;
  request_count: number;
  confirmed: number;
}

/** Whether the batch is new; notes it. The number 0 is that of a batch which is harmless to repeat. */
function acceptBatch({ db, now }: Step, { instance, sequence }: TrackBatch): boolean {
  if (sequence === 0) return true;
  const known = db.get<{ sequence: number }>(
    "SELECT sequence FROM kyb_batches WHERE instance = ?",
    instance,
  );
  if (known !== undefined && sequence <= known.sequence) return false;
  db.run("INSERT OR REPLACE INTO kyb_batches VALUES (?, ?, ?)", instance, sequence, now);
  return true;
}
