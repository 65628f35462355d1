import type { ActivityEntry } from "./activity/entry.ts";
import { type ClientFacts, type ConnectionInfo, clientFacts, type RequestHead } from "./client.ts";
import type { MetadataOp } from "./commit.ts";
import type { ResolvedConfig } from "./config.ts";
import { findSha256, type RandomText, type Sha256 } from "./environment.ts";
import { SessionError } from "./errors.ts";
import type { EventEmitter, SessionEvents } from "./events.ts";
import type { StoreGateway } from "./gateway.ts";
import { freezeJson, type JsonValue, type Metadata } from "./metadata.ts";
import type { Tracker } from "./tracker.ts";

/** Unknown tokens are reported at most this often, so that a scanner cannot flood the log. */
const UNKNOWN_TOKEN_INTERVAL = 1000;

/**
 * Where the failures of listeners go: the console, because they belong to nobody's request, and a library that threw them
 * would take the process down.
 */
export function reportError(error: unknown): void {
  console.error("@kyb/session: a listener failed", error);
}

/** What this process alone counts. */
export interface ProcessCounters {
  /** Commits refused because the session had ended. */
  gone: number;
  /** Commits refused because somebody had signed in or regenerated meanwhile. */
  superseded: number;
  /** Times a limit was hit. */
  limits: number;
}

/** The parts that every visit of one manager shares. */
export class Engine {
  readonly config: ResolvedConfig;
  readonly gateway: StoreGateway;
  readonly events: EventEmitter;
  readonly tracker: Tracker;
  readonly random: RandomText;
  readonly sha256: Sha256 = findSha256();
  readonly counters: ProcessCounters = { gone: 0, superseded: 0, limits: 0 };
  /** Paths under which a management API of this manager answers. */
  readonly managementPaths: Set<string> = new Set();
  readonly #warned = new Set<string>();
  #lastClient: ConnectionInfo & { readonly facts: ClientFacts } = {
    facts: { address: "", encrypted: false, host: undefined, forwarded: false },
  };
  #unknownTokens = 0;
  #unknownReportedAt = Number.NEGATIVE_INFINITY;

  constructor(
    config: ResolvedConfig,
    parts: { gateway: StoreGateway; events: EventEmitter; tracker: Tracker; random: RandomText },
  ) {
    this.config = config;
    this.gateway = parts.gateway;
    this.events = parts.events;
    this.tracker = parts.tracker;
    this.random = parts.random;
  }

  /** The time by which sessions are judged: the store's clock, as far as this process knows it. */
  now(): number {
    return this.config.clock.now() + (this.gateway.store.clockOffset ?? 0);
  }

  /** A new id for one change, so that a repeated one is told from another one. */
  opId(): string {
    return this.random.characters(12);
  }

  /** Where a request comes from. The requests of one connection share its facts: an IPv6 address costs 6 µs to read. */
  client(head: RequestHead, connection: ConnectionInfo): ClientFacts {
    if (this.config.trust !== undefined) return clientFacts(head, connection, this.config.trust);
    const known = this.#lastClient;
    if (
      known.remoteAddress === connection.remoteAddress &&
      known.encrypted === connection.encrypted
    ) {
      return known.facts;
    }
    const facts = clientFacts(head, connection, undefined);
    this.#lastClient = { ...connection, facts };
    return facts;
  }

  /** Whether the user's side of the connection is https, as far as it can be known. */
  isEncrypted(facts: ClientFacts): boolean {
    return facts.encrypted || this.config.publicUrl?.startsWith("https:") === true;
  }

  /**
   * Whether a management API may answer this path. A guess from the path alone, made before any routing: all
   * that follows from it is that a newcomer gets no session before something needs one.
   */
  isManagementPath(path: string): boolean {
    for (const base of this.managementPaths) {
      const at = path.indexOf(base);
      if (at !== -1 && (path.length === at + base.length || path[at + base.length] === "/"))
        return true;
    }
    return false;
  }

  /** Checks one value against the schema, in the data as it would be. */
  checked(key: string, value: unknown, metadata: Metadata): MetadataOp {
    const frozen = freezeJson(value, key);
    const op = { kind: "set", key, value: frozen.value, bytes: frozen.bytes } as const;
    const { schema } = this.config;
    if (schema === undefined) return op;
    const data: Record<string, JsonValue> = { ...metadata, [key]: frozen.value };
    const result = schema["~standard"].validate(data);
    if (result instanceof Promise) {
      throw new SessionError("INVALID_CONFIG", "schema must answer synchronously.");
    }
    // Keys that are still missing are not this write's fault.
    const issue = result.issues?.find(({ path }) => {
      const [first] = path ?? [];
      return (typeof first === "object" ? first.key : first) === key;
    });
    if (issue === undefined) return op;
    throw new SessionError("INVALID_VALUE", `The schema refuses "${key}": ${issue.message}`);
  }

  /** Raises a warning once for each kind. */
  warn(kind: SessionEvents["config-warning"]["kind"], message: string): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    this.events.emit("config-warning", { kind, message });
  }

  /** An entry as it may be kept; undefined: not at all. */
  redacted(entry: ActivityEntry): ActivityEntry | undefined {
    const { redact } = this.config.activity;
    if (redact === undefined) return entry;
    try {
      return redact(entry);
    } catch (error) {
      // What could not be made harmless is not kept; the request goes on.
      reportError(error);
      return undefined;
    }
  }

  unknownToken(facts: ClientFacts): void {
    this.#unknownTokens += 1;
    const now = this.config.clock.monotonic();
    if (now - this.#unknownReportedAt < UNKNOWN_TOKEN_INTERVAL) return;
    this.events.emit("unknown-token", { ipAddress: facts.address, count: this.#unknownTokens });
    this.#unknownTokens = 0;
    this.#unknownReportedAt = now;
  }

  limitHit(limit: SessionEvents["limit"]["limit"], userId: string | undefined): void {
    this.counters.limits += 1;
    this.events.emit("limit", { limit, userId });
  }
}
