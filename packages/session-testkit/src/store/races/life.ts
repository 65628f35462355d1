import type { SessionRecord, SessionState } from "../contract.ts";
import type { Event, History, Method } from "./history.ts";
import { modelAfter, modelOfNew, stateText } from "./model.ts";

/** A commit that took place, with its place in the session's order of commits. */
export interface Step {
  readonly event: Event<"commit">;
  readonly version: number;
}

/**
 * One session's life, put together from what the store answered. The versions that it gave order the commits; the
 * clock stands still while calls are under way, so whether the session was due at a time is certain too. Only
 * the moment of its end may be uncertain, and then lies between two bounds.
 */
export class Life {
  readonly id: string;
  readonly name: string;
  readonly created: Event<"create">;
  readonly commits: readonly Event<"commit">[];
  readonly tracks: readonly Event<"track">[];
  readonly steps: readonly Step[];
  /** The state after each step; the first is that of the creation. */
  readonly states: readonly SessionState[];
  /** What the last `find` showed. */
  readonly final: SessionRecord | undefined;
  /** Calls that say that they ended it. */
  readonly claims: readonly (Event<"end"> | Event<"endUser">)[];
  /** No call that was over by then can have found it ended. */
  readonly endPossible: number;
  /** No call that began after that can have found it live. */
  readonly endKnown: number;
  readonly #due: Map<number, boolean> = new Map();
  readonly #texts: Map<SessionState, string> = new Map();

  constructor(created: Event<"create">, name: string, history: History) {
    const { id } = created.session;
    this.id = id;
    this.name = name;
    this.created = created;
    this.commits = history.of("commit").filter((event) => event.id === id);
    this.tracks = history
      .of("track")
      .filter(({ batch }) => batch.items.some((item) => item.id === id));
    this.steps = stepsOf(this.commits);
    this.states = statesOf(created, this.steps);
    this.final = history.of("find").findLast((event) => event.id === id)?.answer;
    this.claims = history.events.filter(
      (event): event is Event<"end"> | Event<"endUser"> =>
        (event.method === "end" && event.id === id && event.answer === "ended") ||
        (event.method === "endUser" && event.answer?.includes(id) === true),
    );
    this.endPossible = this.#endPossible(history);
    this.endKnown = this.#endKnown(history);
  }

  /** The states in which a call can have found the session. */
  window(event: Event): readonly SessionState[] {
    let low = 0;
    let high = 0;
    for (const { event: commit, version } of this.steps) {
      if (commit.finished < event.started) low = Math.max(low, version);
      if (commit.started < event.finished) high = Math.max(high, version);
    }
    return this.states.slice(low, high + 1);
  }

  /** A state as text that can be compared. States do not change, so each is spelled out once. */
  textOf(state: SessionState): string {
    let text = this.#texts.get(state);
    if (text === undefined) {
      text = stateText(state);
      this.#texts.set(state, text);
    }
    return text;
  }

  /** Whether the session is over by age at a time, if nothing else ended it before. */
  isDue(at: number): boolean {
    let due = this.#due.get(at);
    if (due === undefined) {
      due = at >= this.#deadline(at);
      this.#due.set(at, due);
    }
    return due;
  }

  /** Whether a call of this span can have found the session over. */
  mayBeOver(event: Event): boolean {
    return event.finished > this.endPossible || this.isDue(event.at);
  }

  /** Whether a call of this span can have found the session live. */
  mayBeLive(event: Event): boolean {
    return event.started < this.endKnown && !this.isDue(event.at);
  }

  /** What was tracked before a time, one item after the other. Nothing is applied to a due session. */
  *trackedBefore(at: number): Generator<Event<"track">["batch"]["items"][number]> {
    for (const event of this.tracks) {
      if (event.at >= at || this.isDue(event.at)) continue;
      for (const item of event.batch.items) if (item.id === this.id) yield item;
    }
  }

  /** The deadline that holds at a time: it follows from what happened before, for a due session takes nothing. */
  #deadline(at: number): number {
    let version = 0;
    let activity = this.created.at;
    for (const { event, version: after } of this.steps) {
      if (event.at >= at) continue;
      version = Math.max(version, after);
      if (event.commit.change?.kind === "sign-in") activity = Math.max(activity, event.at);
    }
    const state = this.states[version];
    if (state === undefined) return Number.POSITIVE_INFINITY;
    let confirmed = false;
    for (const item of this.trackedBefore(at)) {
      if (item.active) activity = Math.max(activity, item.seenAt);
      confirmed ||= item.confirm;
    }
    const soft =
      state.provisionalEnd === undefined || confirmed
        ? activity + state.idleTimeout
        : state.provisionalEnd;
    return Math.min(soft, state.absoluteEnd);
  }

  #endPossible(history: History): number {
    const claimed = this.claims.map((claim) => claim.started);
    switch (this.final?.endReason) {
      case undefined:
        return Math.min(Number.POSITIVE_INFINITY, ...claimed);
      case "limit":
        return Math.min(...claimed, ...history.events.filter(evicts).map((event) => event.started));
      case "idle":
      case "absolute":
      case "provisional": {
        const late = history.events.filter((event) => this.isDue(event.at));
        return Math.min(...claimed, ...late.map((event) => event.started));
      }
      default:
        return Math.min(Number.POSITIVE_INFINITY, ...claimed);
    }
  }

  #endKnown(history: History): number {
    const shown = history.events.filter((event) => this.#showsEnd(event));
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...this.claims.map((claim) => claim.finished),
      ...shown.map((event) => event.finished),
    );
  }

  #showsEnd(event: Event): boolean {
    switch (event.method) {
      case "find":
        return event.id === this.id && event.answer?.endedAt !== undefined;
      case "commit":
        return event.id === this.id && event.answer?.status === "gone" && !this.isDue(event.at);
      case "end":
        return event.id === this.id && event.answer === "gone" && !this.isDue(event.at);
      case "endIfDue":
        return event.id === this.id && event.error === undefined && event.answer === undefined;
      default:
        return false;
    }
  }
}

/** Whether a call may end others to keep a limit. */
function evicts(event: Event<Method>): boolean {
  if (event.method === "create") {
    return event.limits.maxSessions !== undefined || event.limits.user !== undefined;
  }
  return (
    event.method === "commit" &&
    event.commit.change?.kind === "sign-in" &&
    event.commit.change.limit !== undefined
  );
}

/** Commits that a store has to remember, to tell a repeated one; see `SessionStore.commit`. */
const REMEMBERED = 4;

/**
 * The commits that took place: each opId once, under the lowest version that was answered for it. Only a repetition
 * that came after more commits than a store has to remember may count again.
 */
function stepsOf(commits: readonly Event<"commit">[]): Step[] {
  const first = new Map<string, Step>();
  const repeated: Step[] = [];
  for (const event of commits) {
    if (event.answer?.status !== "applied") continue;
    const { opId } = event.commit;
    const step = { event, version: event.answer.record.state.version };
    const known = first.get(opId);
    if (known === undefined || step.version < known.version) first.set(opId, step);
    else if (step.version > known.version + REMEMBERED) repeated.push(step);
  }
  const steps = [...first.values()];
  for (const late of repeated) {
    // A repetition answers the record as it is, so most versions that it shows are those of other commits.
    if (!steps.some((step) => step.version === late.version)) steps.push(late);
  }
  return steps.sort((left, right) => left.version - right.version);
}

function statesOf(created: Event<"create">, steps: readonly Step[]): SessionState[] {
  let state = modelOfNew(created.session, created.at);
  const states = [state];
  for (const { event } of steps) {
    state = modelAfter(state, event.commit, event.at);
    states.push(state);
  }
  return states;
}
