import type { SessionState } from "./record.ts";

/** Length of a secret: 256 bits as base64url. */
export const SECRET_LENGTH = 43;
export const MIN_ID_LENGTH = 22;
export const MAX_ID_LENGTH = 64;

/** `<id>.<secret>`, each base64url (RFC 4648 §5). Counted letters and `\w` take 40 ns more of the 170. */
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** How long a dead secret is answered without a session, so that it cannot overwrite its successor's cookie. */
export const RETIRED_MEMORY = 60_000;

/** The two halves of a token. The id is public; the secret is the credential. */
export interface Token {
  readonly id: string;
  readonly secret: string;
}

/** What a presented secret is to a session. */
export type SecretMatch = "current" | "pending" | "grace" | "retired" | "reused" | "unknown";

export function formatToken(token: Token): string {
  return `${token.id}.${token.secret}`;
}

/**
 * Splits `<id>.<secret>`, or answers undefined for anything else. A malformed token costs no store call,
 * and a value that is far too long is not even looked through.
 */
export function parseToken(text: string): Token | undefined {
  const dot = text.length - SECRET_LENGTH - 1;
  if (dot < MIN_ID_LENGTH || dot > MAX_ID_LENGTH) return undefined;
  // The length says where the one dot has to be.
  if (text.charCodeAt(dot) !== 46 /* . */ || !TOKEN.test(text)) return undefined;
  return { id: text.slice(0, dot), secret: text.slice(dot + 1) };
}

/**
 * Compares two hashes in time that depends on nothing but their lengths. Both are SHA-256, so even a
 * leak would tell about hashes that nobody can choose.
 */
export function equalHashes(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) {
    difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  }
  return difference === 0;
}

/**
 * What the secret with this hash may do (design of the race contract, rules 4 and 5):
 * - `current`: everything.
 * - `pending`: the successor of a regeneration by time, presented for the first time.
 * - `grace`: its predecessor, still within the grace.
 * - `retired`: dead, but so recently that its request gets no new session either.
 * - `reused`: a predecessor after its grace; somebody kept a copy.
 * - `unknown`: not ours, or too old to tell.
 */
export function matchSecret(
  state: SessionState,
  hash: string,
  now: number,
  grace: number,
): SecretMatch {
  if (equalHashes(state.secretHash, hash)) return "current";
  if (state.pending !== undefined && equalHashes(state.pending.hash, hash)) return "pending";
  for (const retired of state.retired) {
    if (!equalHashes(retired.hash, hash)) continue;
    const age = now - retired.at;
    if (retired.kind === "rotated") return age < grace ? "grace" : "reused";
    return age < RETIRED_MEMORY ? "retired" : "unknown";
  }
  return "unknown";
}
