import {
  type JsonValue,
  type Metadata,
  parseRecord,
  RECORD_VERSION,
  SessionError,
  type SessionRecord,
} from "@kyb/session-core/store";
import { textsOf } from "./reply.ts";
import { decodePart, encodePart } from "./text-code.ts";

/*
 * A record is a hash:
 *   t  version lastAccess lastActivity requestCount confirmed createdAt idleTimeout absoluteEnd provisionalEnd
 *      userId ipAddress entries               what tracking changes and what every script looks at
 *   k  secretHash epoch version secretIssuedAt authenticatedAt metadataBytes pendingHash pendingNonce pendingAt,
 *      then hash, time and kind of each retired secret          what a commit changes
 *   c  ["transport", "userAgent"]                               what never changes
 *   m"key"  one of the session's data, as JSON                  so that a change of one touches no other
 *   e  endedAt reason                                           only of an ended session
 *   o  the latest opIds                                         only where something was committed
 */

/** The field that holds one key of the data. Lone surrogates are escaped by `JSON.stringify`, so no two keys meet. */
export function dataField(key: string): string {
  return `m${JSON.stringify(key)}`;
}

/** All of the data, as fields and values one after the other. */
export function dataFields(metadata: Metadata): string[] {
  return Object.entries(metadata).flatMap(([key, value]) => [
    dataField(key),
    JSON.stringify(value),
  ]);
}

/** A record's constants, secrets and moving parts, as `import` writes them; everything else is written by scripts. */
export function recordParts(record: SessionRecord, entries: number): [string, string, string] {
  const { state } = record;
  const { pending } = state;
  const secrets = [
    encodePart(state.secretHash),
    state.epoch,
    state.version,
    state.secretIssuedAt,
    state.authenticatedAt ?? "-",
    state.metadataBytes,
    encodePart(pending?.hash),
    encodePart(pending?.nonce),
    pending?.at ?? "-",
    ...state.retired.flatMap(({ hash, at, kind }) => [encodePart(hash), at, kind]),
  ];
  const moving = [
    RECORD_VERSION,
    record.lastAccessTime,
    record.lastActivityTime,
    record.requestCount,
    record.confirmed ? 1 : 0,
    state.createdAt,
    state.idleTimeout,
    state.absoluteEnd,
    state.provisionalEnd ?? "-",
    encodePart(state.userId),
    encodePart(state.ipAddress),
    entries,
  ];
  return [JSON.stringify([state.transport, state.userAgent]), secrets.join(" "), moving.join(" ")];
}

/**
 * The record in the reply to `HGETALL`; undefined: there is none.
 * Throws `RECORD_UNREADABLE` for whatever is not a record of this version.
 */
export function readRecord(id: string, fields: readonly string[]): SessionRecord | undefined {
  if (fields.length === 0) return undefined;
  let moving = "";
  let secrets = "";
  let constants = "";
  let ended: string | undefined;
  const metadata: Record<string, JsonValue> = Object.create(null);
  try {
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const field = fields[index] as string;
      const value = fields[index + 1] as string;
      if (field === "t") moving = value;
      else if (field === "k") secrets = value;
      else if (field === "c") constants = value;
      else if (field === "e") ended = value;
      else if (field.startsWith("m")) metadata[JSON.parse(field.slice(1))] = JSON.parse(value);
    }
    return parse(id, moving.split(" "), secrets.split(" "), JSON.parse(constants), ended, metadata);
  } catch (cause) {
    if (cause instanceof SessionError) throw cause;
    throw unreadable(id, cause);
  }
}

/** The record in a script's answer. */
export function recordIn(id: string, fields: unknown): SessionRecord {
  const record = readRecord(id, textsOf(fields));
  if (record === undefined) throw unreadable(id);
  return record;
}

/** Says what is wrong with a record as exactly as it can be said. */
export function whyUnreadable(id: string, fields: unknown): SessionError {
  try {
    readRecord(id, textsOf(fields));
  } catch (error) {
    if (error instanceof SessionError) return error;
  }
  return unreadable(id);
}

export function unreadable(id: string, cause?: unknown): SessionError {
  return new SessionError(
    "RECORD_UNREADABLE",
    `The stored session ${id} cannot be read: it is not a record of this version. It was left as it is; revoke it by its id to be rid of it.`,
    { cause },
  );
}

function parse(
  id: string,
  moving: readonly string[],
  secrets: readonly string[],
  constants: unknown,
  ended: string | undefined,
  metadata: Metadata,
): SessionRecord {
  // Anything else was cut off or is of another make; parts that may be absent must not pass for it.
  const isWhole = moving.length === 12 && secrets.length >= 9 && secrets.length % 3 === 0;
  const [version, access, activity, requests, confirmed, created, idle, absolute, ...more] = moving;
  const [provisional, user, ip] = more;
  const [hash, epoch, commits, issued, signedIn, bytes, pending, nonce, offered, ...retired] =
    secrets;
  const [transport, userAgent] = Array.isArray(constants) ? constants : [];
  const endedParts = ended?.split(" ");
  return parseRecord({
    version: isWhole || version !== String(RECORD_VERSION) ? toNumber(version) : "incomplete",
    state: {
      id,
      secretHash: decodePart(hash),
      transport,
      epoch: toNumber(epoch),
      version: toNumber(commits),
      userId: optionalPart(user),
      ipAddress: decodePart(ip),
      userAgent,
      createdAt: toNumber(created),
      secretIssuedAt: toNumber(issued),
      authenticatedAt: toNumber(signedIn),
      idleTimeout: toNumber(idle),
      absoluteEnd: toNumber(absolute),
      provisionalEnd: toNumber(provisional),
      metadata,
      metadataBytes: toNumber(bytes),
      retired: retiredSecrets(retired),
      pending:
        pending === "-"
          ? undefined
          : { hash: decodePart(pending), nonce: decodePart(nonce), at: toNumber(offered) },
    },
    lastAccessTime: toNumber(access),
    lastActivityTime: toNumber(activity),
    requestCount: toNumber(requests),
    confirmed: confirmed === "1" ? true : confirmed === "0" ? false : confirmed,
    endedAt: endedParts === undefined ? undefined : (toNumber(endedParts[0]) ?? "nothing"),
    endReason: endedParts === undefined ? undefined : (endedParts[1] ?? "nothing"),
  });
}

function retiredSecrets(parts: readonly string[]): unknown[] {
  const secrets: unknown[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    const kind = parts[index + 2];
    secrets.push({ hash: decodePart(parts[index]), at: toNumber(parts[index + 1]), kind });
  }
  return secrets;
}

/** `-` stands for an absent text; what is no part at all becomes NaN, which nobody accepts. */
function optionalPart(part: string | undefined): unknown {
  return part === "-" ? undefined : (decodePart(part) ?? Number.NaN);
}

/** `-` stands for an absent number; what is no number becomes NaN, which nobody accepts. */
function toNumber(part: string | undefined): number | undefined {
  return part === "-" || part === undefined ? undefined : part === "" ? Number.NaN : Number(part);
}
