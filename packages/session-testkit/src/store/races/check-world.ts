import type { StoreEvent, StoreMetrics } from "../contract.ts";
import { checkLife, type Report } from "./check-life.ts";
import type { Event, History } from "./history.ts";
import { Life } from "./life.ts";

/** What one interleaving left behind. The history ends with a `find` of every session that was made. */
export interface Aftermath {
  readonly history: History;
  /** Everything that the store told since it was opened. */
  readonly heard: readonly StoreEvent[];
  readonly metrics: StoreMetrics;
  /** Most sessions of one user, the same for every call of the history. */
  readonly userLimit: number;
}

/** Everything that is wrong with a history; empty: nothing. */
export function violationsOf({ history, heard, metrics, userLimit }: Aftermath): string[] {
  const violations: string[] = [];
  const report: Report = (violation) => violations.push(violation);
  for (const event of history.events) {
    if (event.error !== undefined) report(`${event.method} failed: ${String(event.error)}`);
  }
  const lives = history
    .of("create")
    .filter(({ answer }) => answer?.status === "created")
    .map((created, index) => new Life(created, `session ${index}`, history));
  for (const life of lives) checkLife(life, history, report);
  // What follows would only repeat in other words that single sessions are wrong.
  if (violations.length > 0) return violations;

  for (const event of history.of("endUser")) checkEndUser(event, lives, report);
  for (const event of history.of("list")) {
    checkLimit(event, lives, userLimit, report);
    checkList(event, lives, history, report);
  }
  checkHeard(lives, heard, report);
  checkMetrics(lives, history, metrics, report);
  return violations;
}

/** Whether the session was this user's during the whole call, whatever the order was. */
function belongsTo(life: Life, userId: string, event: Event): boolean {
  return (
    life.created.finished < event.started &&
    life.window(event).every((state) => state.userId === userId)
  );
}

/** Nobody who was there is forgotten, nobody else is ended (F-08). */
function checkEndUser(event: Event<"endUser">, lives: readonly Life[], report: Report): void {
  const { userId, except, answer = [] } = event;
  for (const life of lives) {
    if (answer.includes(life.id)) {
      const wasTheirs = life.window(event).some((state) => state.userId === userId);
      if (!wasTheirs || life.created.started > event.finished || life.id === except) {
        report(`${life.name}: endUser ended it, and it is not among those of ${userId}`);
      }
      if (life.isDue(event.at)) report(`${life.name}: endUser ended it, and it was due`);
      continue;
    }
    if (life.id === except || !belongsTo(life, userId, event)) continue;
    if (!life.mayBeOver(event)) report(`${life.name}: endUser of ${userId} missed it`);
  }
}

/** No moment shows more live sessions of a user than the limit (F-07). */
function checkLimit(
  { query, answer, at }: Event<"list">,
  lives: readonly Life[],
  max: number,
  report: Report,
): void {
  if (query.userId === undefined || query.status !== "active") return;
  const listed = new Set(answer?.records.map((record) => record.state.id));
  const shown = lives.filter((life) => listed.has(life.id) && !life.isDue(at)).length;
  if (shown > max)
    report(`a list of ${query.userId} shows ${shown} live sessions; the limit is ${max}`);
}

/** A page of one user's live sessions shows them as they were at one instant. */
function checkList(
  event: Event<"list">,
  lives: readonly Life[],
  history: History,
  report: Report,
): void {
  const { userId, status } = event.query;
  const listed = new Set(event.answer?.records.map((record) => record.state.id));
  if (userId === undefined || status !== "active") return;
  for (const life of lives) {
    if (listed.has(life.id)) {
      if (!life.window(event).some((state) => state.userId === userId)) {
        report(`${life.name}: it is listed under ${userId}, who never had it`);
      }
      continue;
    }
    if (belongsTo(life, userId, event) && !life.mayBeOver(event)) {
      report(`${life.name}: it is live and not listed under ${userId}`);
    }
  }
  for (const end of history.of("endUser")) {
    const together = lives.filter(
      (life) => end.answer?.includes(life.id) && belongsTo(life, userId, event),
    );
    const left = together.filter((life) => listed.has(life.id)).length;
    if (left !== 0 && left !== together.length) {
      report(`a list of ${userId} shows ${left} of ${together.length} sessions that end together`);
    }
  }
}

/** One `created` for each session, one `ended` for each that ended, one event for each change of the secret. */
function checkHeard(lives: readonly Life[], heard: readonly StoreEvent[], report: Report): void {
  for (const life of lives) {
    const mine = heard.filter((event) => event.sessionId === life.id);
    const kinds = life.steps.map(({ event }) => event.commit.change?.kind);
    const expected: Record<StoreEvent["type"], number> = {
      created: 1,
      ended: life.final?.endedAt === undefined ? 0 : 1,
      "signed-in": kinds.filter((kind) => kind === "sign-in").length,
      regenerated: kinds.filter((kind) => kind === "regenerate" || kind === "promote").length,
    };
    for (const [type, count] of Object.entries(expected)) {
      const times = mine.filter((event) => event.type === type).length;
      if (times !== count)
        report(`${life.name}: "${type}" was told ${times} times instead of ${count}`);
    }
    const told = mine.find((event) => event.type === "ended")?.reason;
    if (told !== life.final?.endReason) {
      report(`${life.name}: its end was told as ${told} and shows ${life.final?.endReason}`);
    }
  }
}

/** The counters agree with the sessions to the unit. */
function checkMetrics(
  lives: readonly Life[],
  history: History,
  metrics: StoreMetrics,
  report: Report,
): void {
  const finals = lives.flatMap(({ final }) => (final === undefined ? [] : [final]));
  const live = finals.filter((record) => record.endedAt === undefined);
  const ended: Record<string, number> = {};
  for (const { endReason } of finals) {
    if (endReason !== undefined) ended[endReason] = (ended[endReason] ?? 0) + 1;
  }
  const expected = {
    totalSessions: finals.length,
    activeSessions: live.length,
    signedInSessions: live.filter((record) => record.state.userId !== undefined).length,
    anonymousSessions: live.filter((record) => record.state.userId === undefined).length,
    totalLength: live.reduce(
      (total, record) => total + record.lastAccessTime - record.state.createdAt,
      0,
    ),
    totalRequests: requestsIn(history),
  };
  for (const [name, value] of Object.entries(expected)) {
    const counted = Reflect.get(metrics, name);
    if (counted !== value) report(`metrics: ${name} is ${counted} instead of ${value}`);
  }
  for (const [reason, counted] of Object.entries(metrics.endedByReason)) {
    if (counted !== (ended[reason] ?? 0)) {
      report(`metrics: ${counted} ended as ${reason} instead of ${ended[reason] ?? 0}`);
    }
  }
}

function requestsIn(history: History): number {
  const known = new Set<string>();
  let total = 0;
  for (const { batch } of history.of("track")) {
    const key = `${batch.instance} ${batch.sequence}`;
    if (batch.sequence !== 0 && known.has(key)) continue;
    known.add(key);
    total += batch.items.filter((item) => item.request !== undefined).length;
  }
  return total;
}
