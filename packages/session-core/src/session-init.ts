import type { NewSessionFacts } from "./create-session.ts";
import { describe } from "./duration.ts";
import type { Engine } from "./engine.ts";
import { SessionError } from "./errors.ts";
import { checkUserId } from "./internal/check-arguments.ts";
import { cutText } from "./internal/cut-text.ts";
import { EMPTY_METADATA } from "./metadata.ts";
import { setOps } from "./patch-session.ts";
import type { Transport } from "./record.ts";
import { notANumber, tooLarge } from "./refusals.ts";
import { applyOps } from "./transition.ts";
import { MAX_USER_AGENT } from "./visit.ts";

/** A session to make without a request. */
export interface SessionInit<Data extends object> {
  /** Default: an anonymous session. */
  userId?: string;
  ipAddress?: string;
  userAgent?: string;
  metadata?: Partial<Data>;
  /** The one transport that the token works on. Default: the first of `transports`. */
  transport?: Transport;
}

const INIT_KEYS: ReadonlySet<string> = new Set([
  "userId",
  "ipAddress",
  "userAgent",
  "metadata",
  "transport",
]);
/** Longest text of an IP address, with a zone. */
const MAX_ADDRESS = 64;

/** Checks and completes what the application gave. Throws `INVALID_ARGUMENT` naming the property, or `INVALID_VALUE`. */
export function resolveInit<Data extends object>(
  engine: Engine,
  init: SessionInit<Data>,
): NewSessionFacts {
  refuseUnknown(init);
  if (init.userId !== undefined) checkUserId(init.userId);
  const { transports } = engine.config;
  const transport = init.transport ?? transports[0] ?? "cookie";
  if (!transports.includes(transport)) {
    throw new SessionError(
      "INVALID_ARGUMENT",
      `transport must be one of the configured transports, got ${describe(transport)}.`,
    );
  }
  const { metadata = {}, ipAddress = "", userAgent = "" } = init;
  checkText("ipAddress", ipAddress);
  checkText("userAgent", userAgent);
  return {
    transport,
    userId: init.userId,
    ipAddress: cutText(ipAddress, MAX_ADDRESS),
    userAgent: cutText(userAgent, MAX_USER_AGENT),
    ...initialData(engine, metadata),
  };
}

function refuseUnknown(init: object): void {
  const unknown = Object.keys(init).find((key) => !INIT_KEYS.has(key));
  if (unknown !== undefined)
    throw new SessionError("INVALID_ARGUMENT", `A new session has no property "${unknown}".`);
}

function checkText(property: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new SessionError("INVALID_ARGUMENT", `${property} must be a text, got ${describe(value)}.`);
}

function initialData(
  engine: Engine,
  metadata: object,
): Pick<NewSessionFacts, "metadata" | "bytes"> {
  const { maxMetadataBytes } = engine.config;
  const ops = setOps(engine, metadata, EMPTY_METADATA);
  const data = applyOps({ metadata: EMPTY_METADATA, bytes: 0 }, ops);
  if (data.status === "refused") throw notANumber(data.key);
  if (data.bytes > maxMetadataBytes) throw tooLarge(data.bytes, maxMetadataBytes);
  return { metadata: data.metadata, bytes: data.bytes };
}
