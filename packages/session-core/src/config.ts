import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ActivityEntry } from "./activity/entry.ts";
import type { RequestHead, TrustFunction, TrustProxy } from "./client.ts";
import type { CookieOptions, ResolvedCookie } from "./cookie.ts";
import type { RegisteredData } from "./data.ts";
import type { Duration } from "./duration.ts";
import type { Clock, RandomBytes } from "./environment.ts";
import type { UserLimit } from "./new-session.ts";
import type { Transport } from "./record.ts";
import type { SessionStore } from "./store.ts";

/** Everything that can be set. Durations are milliseconds or text such as `'24h'`. */
export interface SessionConfig<Data extends object = RegisteredData> {
  /** Idle timeout: a session without activity ends. Default `'24h'`. */
  sessionTimeout?: Duration;
  /** Hard end that use cannot extend; a sign-in starts it again. Default `'30d'`. */
  absoluteTimeout?: Duration;
  /** Time between full sweeps of an external store; `0`: never. Default `'1h'`. In memory: every second. */
  cleanupInterval?: Duration;
  /** Most live sessions. Default 1000 in memory, no limit elsewhere. */
  maxSessions?: number;
  /** Most live sessions of one user. Default: no limit. */
  maxSessionsPerUser?: number;
  /** What happens at that limit. Default `'evict-oldest'`. */
  onUserLimit?: UserLimit["policy"];
  /** Characters of the public id, 22 to 64. Default 32. The secret always has 256 bits. */
  sessionIdLength?: number;
  cookie?: CookieOptions;
  /** The origin that users see, such as `'https://shop.example'`. What `Origin` is compared with. */
  publicUrl?: string;
  /** Default true. Off: `metrics()` throws `DISABLED`. */
  enableMetrics?: boolean;
  /** Default true. Off: no timeline; counts go on. */
  trackUserActivity?: boolean;
  activity?: ActivityOptions;
  /**
   * Tells requests that are not the user's, such as polling: they do not extend the idle timeout.
   * Default: those with `X-Session-Passive: 1` or `Sec-Purpose: prefetch`.
   */
  passive?: (head: RequestHead) => boolean;
  /** Tells requests that get no session at all, such as health checks. Default: none. */
  skip?: (head: RequestHead) => boolean;
  /** `'visit'`: every visitor gets a session. `'write'`: only once something is stored. Default `'visit'`. */
  create?: "visit" | "write";
  /** Life of a session whose cookie never came back. Default `'10m'`. */
  provisionalTimeout?: Duration;
  /** Time after which a session gets a new secret. Default: never. */
  regenerateEvery?: Duration;
  /** How long the secret before that still works. Default `'60s'`. */
  regenerationGrace?: Duration;
  /** How tokens may travel. A token works only on the transport that it was made for. Default `['cookie']`. */
  transports?: readonly Transport[];
  /**
   * Which proxies are believed: CIDRs, a number of hops, or a function. Default false: none.
   * Danger: naming one that clients can reach around lets them write their own address.
   */
  trustProxy?: TrustProxy;
  /** Most bytes of one session's data as JSON. Default 65536. */
  maxMetadataBytes?: number;
  /** How long an ended session stays readable. Default `'24h'`. */
  endedRetention?: Duration;
  /** Most ended sessions kept in memory. Default 1000. */
  maxEnded?: number;
  /** A Standard Schema that types and checks the data. It must answer synchronously. */
  schema?: StandardSchemaV1<unknown, Data>;
  /** Time between flushes of tracking to an external store. Default `'1s'`. */
  flushInterval?: Duration;
  /** How long one store call may take. Default `'1s'`. */
  storeTimeout?: Duration;
  /**
   * `'fail'`: a request that needs an unreachable store answers 503. `'unavailable'`: the handler runs, with
   * `session.state === 'unavailable'`. Never an empty session, never a cleared cookie. Default `'fail'`.
   */
  onStoreError?: "fail" | "unavailable";
  /** Default `memoryStore()`. */
  store?: SessionStore;
  /** For tests. Default: the platform's. */
  clock?: Clock;
  /** For tests. Default: the platform's. */
  random?: RandomBytes;
}

/** What is kept of each session's timeline. */
export interface ActivityOptions {
  /** Entries per session. Default 1000. */
  limit?: number;
  /** Bytes of all timelines in memory, a number or text such as `'256MB'`. Default `'256MB'`. */
  maxBytes?: number | string;
  /** Age after which entries are no longer shown. Default: none. */
  retention?: Duration;
  /** Changes an entry before it is kept; undefined drops it. */
  redact?: (entry: ActivityEntry) => ActivityEntry | undefined;
}

/** The configuration as it is used: complete, checked, frozen. Durations in milliseconds. */
export interface ResolvedConfig {
  readonly sessionTimeout: number;
  readonly absoluteTimeout: number;
  readonly cleanupInterval: number;
  readonly maxSessions: number | undefined;
  readonly userLimit: UserLimit | undefined;
  readonly sessionIdLength: number;
  readonly cookie: ResolvedCookie;
  /** The origin alone, without a path. */
  readonly publicUrl: string | undefined;
  readonly enableMetrics: boolean;
  readonly trackUserActivity: boolean;
  readonly activity: {
    readonly limit: number;
    readonly maxBytes: number;
    readonly retention: number | undefined;
    readonly redact: ((entry: ActivityEntry) => ActivityEntry | undefined) | undefined;
  };
  readonly passive: (head: RequestHead) => boolean;
  readonly skip: ((head: RequestHead) => boolean) | undefined;
  readonly create: "visit" | "write";
  readonly provisionalTimeout: number;
  readonly regenerateEvery: number | undefined;
  readonly regenerationGrace: number;
  readonly transports: readonly Transport[];
  readonly trust: TrustFunction | undefined;
  readonly maxMetadataBytes: number;
  readonly endedRetention: number;
  readonly maxEnded: number | undefined;
  readonly schema: StandardSchemaV1 | undefined;
  readonly flushInterval: number;
  readonly storeTimeout: number;
  readonly onStoreError: "fail" | "unavailable";
  readonly clock: Clock;
  readonly random: RandomBytes;
}
