import type { SessionRecord } from "../contract.ts";
import type { Event, History } from "./history.ts";
import type { Life } from "./life.ts";
import { objection } from "./model.ts";

/** Says what is wrong; called with whole sentences. */
export type Report = (violation: string) => void;

/** What one session's history must show, whatever the interleaving was. */
export function checkLife(life: Life, history: History, report: Report): void {
  const say: Report = (violation) => report(`${life.name}: ${violation}`);
  if (!checkOrder(life, say)) return;
  for (const event of life.commits) checkCommit(life, event, say);
  for (const event of history.events) checkSight(life, event, say);
  checkEnd(life, say);
  checkTracking(life, say);
}

/** The versions are 1, 2, 3 … without a gap, in an order that agrees with time. */
function checkOrder(life: Life, say: Report): boolean {
  const { steps, final } = life;
  if (final === undefined) {
    say("it is not there in the end");
    return false;
  }
  if (steps.some((step, index) => step.version !== index + 1)) {
    const versions = steps.map((step) => step.version).join(", ");
    say(
      `${steps.length} applied commits answered the versions ${versions}: writes were lost or made twice`,
    );
    return false;
  }
  if (final.state.version !== steps.length) {
    say(`after ${steps.length} applied commits its version is ${final.state.version}`);
    return false;
  }
  for (const [index, later] of steps.entries()) {
    for (const earlier of steps.slice(0, index)) {
      if (later.event.finished < earlier.event.started) {
        say(`version ${later.version} was answered before the commit of ${earlier.version} began`);
      }
    }
  }
  return true;
}

function checkCommit(life: Life, event: Event<"commit">, say: Report): void {
  const { answer, commit } = event;
  const window = life.window(event);
  const name = `commit ${commit.opId}`;
  switch (answer?.status) {
    case "applied": {
      if (!life.mayBeLive(event)) say(`${name} was applied after the session was over`);
      const { version } = answer.record.state;
      checkState(life, answer.record, `${name} answered`, say);
      const step = life.steps.find((other) => other.event === event);
      const before = step && life.states[version - 1];
      if (before !== undefined && objection(before, commit) !== undefined) {
        say(`${name} was applied though it is ${objection(before, commit)}`);
      }
      return;
    }
    case "conflict":
      if (!window.some((state) => objection(state, commit) === "conflict")) {
        say(`${name} answered conflict, and nobody had come between`);
      }
      checkState(life, answer.record, `${name} answered conflict with`, say);
      return;
    case "superseded":
      if (!window.some((state) => objection(state, commit) === "superseded")) {
        say(`${name} answered superseded, and nobody had signed in or regenerated`);
      }
      return;
    case "gone":
      if (!life.mayBeOver(event)) say(`${name} answered gone, and the session was live`);
      return;
    case "refused":
      if (answer.limit !== "user") say(`${name} was refused for its ${answer.limit}`);
      return;
    case undefined:
      return;
  }
}

/** The record is the model's, at a moment that the call can have seen. */
function checkState(life: Life, record: SessionRecord, what: string, say: Report): void {
  const expected = life.states[record.state.version];
  if (expected === undefined || life.textOf(expected) !== life.textOf(record.state)) {
    const wanted = expected === undefined ? "no such version" : life.textOf(expected);
    say(`${what} ${life.textOf(record.state)} instead of ${wanted}`);
  }
}

/** Every call that shows the session shows it as it can have been. */
function checkSight(life: Life, event: Event, say: Report): void {
  const seen = recordsIn(event).filter((record) => record.state.id === life.id);
  for (const record of seen) {
    checkState(life, record, `${event.method} showed`, say);
    const inWindow = life.window(event).some(({ version }) => version === record.state.version);
    if (!inWindow) say(`${event.method} showed the old version ${record.state.version}`);
    if (record.endedAt === undefined) {
      if (event.started > life.endKnown) say(`${event.method} showed it live after its end`);
    } else if (event.finished < life.endPossible) {
      say(`${event.method} showed it ended before anybody ended it`);
    }
  }
  if (event.method === "find" && event.id === life.id && event.answer === undefined) {
    if (event.started > life.created.finished) say("find did not show it");
  }
  if (event.method === "endIfDue" && event.id === life.id) {
    if (event.answer === undefined && !life.mayBeOver(event))
      say("endIfDue ended it, and it was live");
    if (event.answer !== undefined && !life.mayBeLive(event))
      say("endIfDue left it, and it was over");
  }
  if (event.method === "end" && event.id === life.id) checkEndCall(life, event, say);
}

function recordsIn(event: Event): readonly SessionRecord[] {
  switch (event.method) {
    case "find":
    case "endIfDue":
      return event.answer === undefined ? [] : [event.answer];
    case "list":
      return event.answer?.records ?? [];
    default:
      return [];
  }
}

function checkEndCall(life: Life, event: Event<"end">, say: Report): void {
  const { epoch, answer } = event;
  if (answer === "gone" && !life.mayBeOver(event)) say("end answered gone, and it was live");
  if (answer === "superseded" && !life.window(event).some((state) => state.epoch !== epoch)) {
    say("end answered superseded, and the epoch was right");
  }
  if (answer !== "ended") return;
  if (life.isDue(event.at)) say("end ended it, and it was due");
  if (epoch !== undefined && !life.window(event).some((state) => state.epoch === epoch)) {
    say("end ended it, and the epoch was another one");
  }
}

/** It ended once, for the reason that was given, and stayed ended. */
function checkEnd(life: Life, say: Report): void {
  const { claims, final } = life;
  if (claims.length > 1) say(`${claims.length} calls say that they ended it`);
  const [claim] = claims;
  const reason = final?.endReason;
  if (claim !== undefined && reason !== claim.reason) {
    say(`it was ended as ${claim.reason} and shows ${reason ?? "no end"}`);
  }
  if (claim === undefined && reason !== undefined) {
    const byItself = ["idle", "absolute", "provisional", "limit"].includes(reason);
    if (!byItself) say(`it shows an end as ${reason}, and nobody ended it so`);
    else if (life.endPossible === Number.POSITIVE_INFINITY)
      say(`it ended as ${reason} without cause`);
  }
  if (claim !== undefined && final?.endedAt !== claim.at) {
    say(`it was ended at ${claim.at} and shows ${final?.endedAt}`);
  }
}

/** Counts and times are those of the observations that came while it was live. */
function checkTracking(life: Life, say: Report): void {
  const { final, created } = life;
  if (final === undefined) return;
  const count = { least: 0, most: 0 };
  const seen = { least: created.at, most: created.at };
  const known = new Set<string>();
  for (const event of life.tracks) {
    const { instance, sequence, items } = event.batch;
    if (sequence !== 0 && known.has(`${instance} ${sequence}`)) continue;
    known.add(`${instance} ${sequence}`);
    if (life.isDue(event.at)) continue;
    const certain = event.finished < life.endPossible;
    const possible = event.started < life.endKnown;
    for (const item of items) {
      if (item.id !== life.id) continue;
      const requests = item.request === undefined ? 0 : 1;
      if (certain) count.least += requests;
      if (possible) count.most += requests;
      if (!item.access) continue;
      if (certain) seen.least = Math.max(seen.least, item.seenAt);
      if (possible) seen.most = Math.max(seen.most, item.seenAt);
    }
  }
  if (final.requestCount < count.least || final.requestCount > count.most) {
    say(`it counts ${final.requestCount} requests instead of ${count.least} to ${count.most}`);
  }
  // A sign-in is an access of its own where the store says so.
  const latestSignIn = Math.max(
    seen.most,
    ...life.steps
      .filter(({ event }) => event.commit.change?.kind === "sign-in")
      .map(({ event }) => event.at),
  );
  if (final.lastAccessTime < seen.least || final.lastAccessTime > latestSignIn) {
    say(`its last access is ${final.lastAccessTime} instead of ${seen.least} to ${latestSignIn}`);
  }
}
