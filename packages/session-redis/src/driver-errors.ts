import { isSessionError, SessionError, type SessionErrorCode } from "@kyb/session-core/store";

/** How a server's error begins, what it means here, and what the operator can do. */
const MEANINGS: readonly (readonly [RegExp, SessionErrorCode, string])[] = [
  [
    /^OOM\b/,
    "STORE_FULL",
    "Redis has reached maxmemory and may evict nothing: give it more memory, or fewer or shorter sessions.",
  ],
  [
    /^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid password|Client sent AUTH|The user executing the script))\b/,
    "STORE_MISCONFIGURED",
    "Redis refuses this user or password: check the client's credentials, and that its ACL allows the store's keys, channel and scripts.",
  ],
  [
    /^ERR unknown command/,
    "STORE_MISCONFIGURED",
    "This Redis does not know a command that the store needs: it must be Redis 6.2 or Valkey 7.2 or later, with no command renamed.",
  ],
  [
    /^CROSSSLOT\b/,
    "STORE_MISCONFIGURED",
    "This server is a Cluster and the client is not a cluster client.",
  ],
  [
    /^(MOVED|ASK)\b/,
    "STORE_MISCONFIGURED",
    "This server is part of a Cluster and the client is not a cluster client, or gave up following its redirections.",
  ],
  [
    /^READONLY\b/,
    "STORE_UNAVAILABLE",
    "This Redis is a replica and takes no writes: a failover is under way, or the client was given a replica's address.",
  ],
  [/^(LOADING|BUSY)\b/, "STORE_UNAVAILABLE", "Redis is busy: it loads its data or runs a script."],
  [
    /^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/,
    "STORE_UNAVAILABLE",
    "The Redis primary of this session cannot be reached for now.",
  ],
  [
    /^MISCONF\b/,
    "STORE_UNAVAILABLE",
    "Redis cannot write its snapshot and refuses writes: look at its disk and its log.",
  ],
];

/** Turns whatever a driver threw into an error of ours; one of ours stays as it is. */
export function storeError(error: unknown): SessionError {
  if (isSessionError(error)) return error;
  const message = error instanceof Error ? error.message : "";
  // An error inside a script is told as that of the script, by some versions with the command's own words after it.
  const words = message.replace(/^ERR Error running script.*?: (?=[A-Z]+ )/s, "");
  for (const [begin, code, sentence] of MEANINGS) {
    if (begin.test(words)) return new SessionError(code, sentence, { cause: error });
  }
  return new SessionError("STORE_UNAVAILABLE", "Redis did not carry out the command.", {
    cause: error,
  });
}

/** Whether the server has forgotten a script, as after a restart, a failover or `SCRIPT FLUSH`. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

/** Whether something else than a session's record is stored under its key. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes("WRONGTYPE");
}
