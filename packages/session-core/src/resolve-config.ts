import { compileTrust, type RequestHead } from "./client.ts";
import type { ResolvedConfig, SessionConfig } from "./config.ts";
import { resolveCookie } from "./cookie.ts";
import { parseDuration } from "./duration.ts";
import { systemClock, systemRandom } from "./environment.ts";
import { SessionError } from "./errors.ts";
import { checkClock, checkSchema } from "./internal/check-parts.ts";
import { invalidOption as invalid } from "./internal/invalid-option.ts";
import type { UserLimit } from "./new-session.ts";
import type { Transport } from "./record.ts";
import { MAX_ID_LENGTH, MIN_ID_LENGTH } from "./token.ts";

const OPTIONS: ReadonlySet<string> = new Set<keyof SessionConfig>([
  "sessionTimeout", "absoluteTimeout", "cleanupInterval", "maxSessions", "maxSessionsPerUser",
  "onUserLimit", "sessionIdLength", "cookie", "publicUrl", "enableMetrics", "trackUserActivity",
  "activity", "passive", "skip", "create", "provisionalTimeout", "regenerateEvery",
  "regenerationGrace", "transports", "trustProxy", "maxMetadataBytes", "endedRetention", "maxEnded",
  "schema", "flushInterval", "storeTimeout", "onStoreError", "store", "clock", "random",
]); // biome-ignore format: a list of names
const ACTIVITY_OPTIONS: ReadonlySet<string> = new Set(["limit", "maxBytes", "retention", "redact"]);

/** Milliseconds, 24.8 days: a timer that is to wait longer does not wait at all. */
const MAX_TIMER = 2 ** 31 - 1;

/** Sessions that memory holds when nothing else was said. */
const MEMORY_MAX_SESSIONS = 1000;

/**
 * Completes, checks and freezes what the user gave. Throws `INVALID_CONFIG` naming the option, the rule and the
 * value. `inMemory` tells whether the memory store's limit applies.
 */
export function resolveConfig<Data extends object>(
  config: SessionConfig<Data>,
  inMemory: boolean,
): ResolvedConfig {
  const given = config as Readonly<Record<string, unknown>>;
  refuseUnknown("", given, OPTIONS);
  const activity = given.activity === undefined ? {} : group("activity", given.activity);
  refuseUnknown("activity.", activity, ACTIVITY_OPTIONS);
  const duration = (option: string, fallback: string): number =>
    parseDuration(given[option] ?? fallback, option);
  const positive = (option: string, fallback: string): number =>
    positiveDuration(option, given[option] ?? fallback);
  const timer = (option: string, milliseconds: number): number => {
    if (milliseconds <= MAX_TIMER) return milliseconds;
    throw invalid(option, "at most 24 days", given[option]);
  };

  const resolved: ResolvedConfig = {
    sessionTimeout: positive("sessionTimeout", "24h"),
    absoluteTimeout: positive("absoluteTimeout", "30d"),
    cleanupInterval: timer("cleanupInterval", duration("cleanupInterval", "1h")),
    maxSessions:
      optionalCount("maxSessions", given.maxSessions) ??
      (inMemory ? MEMORY_MAX_SESSIONS : undefined),
    userLimit: userLimit(given),
    sessionIdLength: count(
      "sessionIdLength",
      given.sessionIdLength ?? 32,
      MIN_ID_LENGTH,
      MAX_ID_LENGTH,
    ),
    cookie: resolveCookie(config.cookie, parseDuration),
    publicUrl: origin(given.publicUrl),
    enableMetrics: flag("enableMetrics", given.enableMetrics),
    trackUserActivity: flag("trackUserActivity", given.trackUserActivity),
    activity: Object.freeze({
      limit: count("activity.limit", activity.limit ?? 1000, 1, 1_000_000),
      maxBytes: byteSize("activity.maxBytes", activity.maxBytes ?? "256MB"),
      retention:
        activity.retention === undefined
          ? undefined
          : positiveDuration("activity.retention", activity.retention),
      redact: optionalFunction("activity.redact", config.activity?.redact),
    }),
    passive: optionalFunction("passive", config.passive) ?? isPassive,
    skip: optionalFunction("skip", config.skip),
    create: choice("create", given.create ?? "visit", ["visit", "write"]),
    provisionalTimeout: positive("provisionalTimeout", "10m"),
    regenerateEvery:
      given.regenerateEvery === undefined
        ? undefined
        : positiveDuration("regenerateEvery", given.regenerateEvery),
    regenerationGrace: duration("regenerationGrace", "60s"),
    transports: transports(given.transports),
    trust: compileTrust(given.trustProxy),
    maxMetadataBytes: count("maxMetadataBytes", given.maxMetadataBytes ?? 65_536, 2, 2 ** 31),
    endedRetention: duration("endedRetention", "24h"),
    maxEnded:
      given.maxEnded === undefined ? undefined : count("maxEnded", given.maxEnded, 0, 2 ** 31),
    schema: checkSchema(given.schema),
    flushInterval: timer("flushInterval", positive("flushInterval", "1s")),
    storeTimeout: timer("storeTimeout", positive("storeTimeout", "1s")),
    onStoreError: choice("onStoreError", given.onStoreError ?? "fail", ["fail", "unavailable"]),
    clock: checkClock(given.clock) ?? systemClock,
    random: optionalFunction("random", config.random) ?? systemRandom,
  };
  checkTogether(resolved);
  return Object.freeze(resolved);
}

function checkTogether(config: ResolvedConfig): void {
  if (config.sessionTimeout > config.absoluteTimeout) {
    throw invalid(
      "sessionTimeout",
      `at most absoluteTimeout (${config.absoluteTimeout} ms)`,
      config.sessionTimeout,
    );
  }
  const https = config.publicUrl?.startsWith("https:");
  if (config.cookie.secure === true && https === false) {
    throw invalid("publicUrl", "an https origin where cookie.secure is true", config.publicUrl);
  }
}

/** The default of `passive`. */
function isPassive(head: RequestHead): boolean {
  if (head.headers.get("x-session-passive") === "1") return true;
  return head.headers.get("sec-purpose")?.startsWith("prefetch") === true;
}

function userLimit(given: Readonly<Record<string, unknown>>): UserLimit | undefined {
  const policy = choice("onUserLimit", given.onUserLimit ?? "evict-oldest", [
    "evict-oldest",
    "evict-least-recent",
    "reject",
  ]);
  const max = optionalCount("maxSessionsPerUser", given.maxSessionsPerUser);
  return max === undefined ? undefined : Object.freeze({ max, policy });
}

function transports(value: unknown): readonly Transport[] {
  if (value === undefined) return Object.freeze<Transport[]>(["cookie"]);
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) {
    throw invalid(
      "transports",
      'a list of "cookie", "bearer" and "header" without repetition',
      value,
    );
  }
  return Object.freeze(
    value.map((item) => choice<Transport>("transports", item, ["cookie", "bearer", "header"])),
  );
}

function origin(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid("publicUrl", 'an http or https origin such as "https://shop.example"', value);
  }
  return url.origin;
}

function byteSize(option: string, value: unknown): number {
  const match = typeof value === "string" ? /^(\d+)\s*(kB|KB|MB|GB)$/.exec(value) : null;
  const unit =
    { kB: 2 ** 10, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[match?.[2] ?? ""] ?? Number.NaN;
  const bytes = match === null ? value : Number(match[1]) * unit;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw invalid(option, 'a number of bytes or text such as "256MB"', value);
  }
  return bytes;
}

function positiveDuration(option: string, value: unknown): number {
  const milliseconds = parseDuration(value, option);
  if (milliseconds > 0) return milliseconds;
  throw invalid(option, "more than 0", value);
}

function group(option: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null)
    return value as Readonly<Record<string, unknown>>;
  throw invalid(option, "an object", value);
}

function optionalCount(option: string, value: unknown): number | undefined {
  return value === undefined ? undefined : count(option, value, 1, Number.MAX_SAFE_INTEGER);
}

function count(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most)
    return value;
  throw invalid(option, `a whole number from ${least} to ${most}`, value);
}

function flag(option: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? true;
  throw invalid(option, "true or false", value);
}

function choice<Value extends string>(
  option: string,
  value: unknown,
  values: readonly Value[],
): Value {
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw invalid(option, `one of ${values.map((item) => `"${item}"`).join(", ")}`, value);
}

function optionalFunction<Value>(option: string, value: Value | undefined): Value | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw invalid(option, "a function", value);
}

function refuseUnknown(
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): void {
  for (const key of Object.keys(given)) {
    if (!known.has(key))
      throw new SessionError("INVALID_CONFIG", `${prefix}${key} is not an option.`);
    // What is missing gets its default; null is a mistake, often of a configuration file.
    if (given[key] === null) throw invalid(prefix + key, "left out or given a value", null);
  }
}
