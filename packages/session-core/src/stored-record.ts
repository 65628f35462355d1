import { SessionError } from "./errors.ts";
import { freezeJson, type JsonValue, type Metadata } from "./metadata.ts";
import {
  type EndReason,
  MAX_RETIRED,
  type PendingSecret,
  RECORD_VERSION,
  type RetiredSecret,
  type SessionRecord,
  type SessionState,
  type Transport,
} from "./record.ts";

/** A record as a store read it from outside: the fields of a {@link SessionRecord}, none of them believed. */
export interface StoredRecord {
  /** {@link RECORD_VERSION} when the record was written. */
  readonly version: unknown;
  readonly state: { readonly [Key in keyof SessionState]: unknown };
  readonly lastAccessTime: unknown;
  readonly lastActivityTime: unknown;
  readonly requestCount: unknown;
  readonly confirmed: unknown;
  readonly endedAt: unknown;
  readonly endReason: unknown;
}

const TRANSPORTS: ReadonlySet<unknown> = new Set<Transport>(["cookie", "bearer", "header"]);
const RETIRED_KINDS: ReadonlySet<unknown> = new Set<RetiredSecret["kind"]>([
  "sign-in",
  "regenerated",
  "rotated",
]);
const REASONS: ReadonlySet<unknown> = new Set<EndReason>([
  "signed-out",
  "revoked",
  "idle",
  "absolute",
  "provisional",
  "limit",
  "reuse",
  "binding",
  "shutdown",
  "erased",
]);

/**
 * Reads a record that comes from outside this process, field by field, so that nothing corrupt, foreign or of another
 * version is ever served as a session. The data comes out without a prototype and deeply frozen.
 *
 * Throws `RECORD_UNREADABLE` naming the session and the field. The record stays where it is.
 */
export function parseRecord(stored: StoredRecord): SessionRecord {
  const { state } = stored;
  const reader = new Reader(typeof state.id === "string" ? state.id : "(unknown)");
  if (stored.version !== RECORD_VERSION) {
    throw reader.refused(
      "version",
      `is ${String(stored.version)}, this program reads ${RECORD_VERSION}`,
    );
  }
  return {
    state: {
      id: reader.text("id", state.id),
      secretHash: reader.text("secretHash", state.secretHash),
      transport: reader.oneOf<Transport>("transport", state.transport, TRANSPORTS),
      epoch: reader.count("epoch", state.epoch),
      version: reader.count("version", state.version),
      userId: reader.optional("userId", state.userId, reader.text),
      ipAddress: reader.string("ipAddress", state.ipAddress),
      userAgent: reader.string("userAgent", state.userAgent),
      createdAt: reader.time("createdAt", state.createdAt),
      secretIssuedAt: reader.time("secretIssuedAt", state.secretIssuedAt),
      authenticatedAt: reader.optional("authenticatedAt", state.authenticatedAt, reader.time),
      idleTimeout: reader.time("idleTimeout", state.idleTimeout),
      absoluteEnd: reader.time("absoluteEnd", state.absoluteEnd),
      provisionalEnd: reader.optional("provisionalEnd", state.provisionalEnd, reader.time),
      metadata: reader.metadata(state.metadata),
      metadataBytes: reader.count("metadataBytes", state.metadataBytes),
      retired: reader.retired(state.retired),
      pending: reader.optional("pending", state.pending, reader.pending),
    },
    lastAccessTime: reader.time("lastAccessTime", stored.lastAccessTime),
    lastActivityTime: reader.time("lastActivityTime", stored.lastActivityTime),
    requestCount: reader.count("requestCount", stored.requestCount),
    confirmed: reader.boolean("confirmed", stored.confirmed),
    endedAt: reader.optional("endedAt", stored.endedAt, reader.time),
    endReason: reader.optional("endReason", stored.endReason, reader.reason),
  };
}

/** Checks values and says which one is wrong. `null` stands for absent, as databases have it. */
class Reader {
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  refused(field: string, what: string): SessionError {
    return new SessionError(
      "RECORD_UNREADABLE",
      `The stored session ${this.#id} cannot be read: ${field} ${what}. It was left as it is; revoke it by its id to be rid of it.`,
    );
  }

  readonly string = (field: string, value: unknown): string => {
    if (typeof value !== "string") throw this.refused(field, `is ${kindOf(value)}, not text`);
    return value;
  };

  readonly text = (field: string, value: unknown): string => {
    const text = this.string(field, value);
    if (text === "") throw this.refused(field, "is empty");
    return text;
  };

  readonly time = (field: string, value: unknown): number => {
    if (typeof value !== "number" || !Number.isFinite(value))
      throw this.refused(field, `is ${kindOf(value)}, not a number`);
    return value;
  };

  readonly reason = (field: string, value: unknown): EndReason =>
    this.oneOf<EndReason>(field, value, REASONS);

  readonly pending = (field: string, value: unknown): PendingSecret => {
    const { hash, nonce, at } = this.#object(field, value);
    return {
      hash: this.text(`${field}.hash`, hash),
      nonce: this.text(`${field}.nonce`, nonce),
      at: this.time(`${field}.at`, at),
    };
  };

  count(field: string, value: unknown): number {
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw this.refused(field, `is ${kindOf(value)}, not a count`);
    return value as number;
  }

  boolean(field: string, value: unknown): boolean {
    if (typeof value !== "boolean")
      throw this.refused(field, `is ${kindOf(value)}, not true or false`);
    return value;
  }

  oneOf<Value extends string>(field: string, value: unknown, allowed: ReadonlySet<unknown>): Value {
    if (!allowed.has(value)) throw this.refused(field, "is none of the values that it may have");
    return value as Value;
  }

  optional<Value>(
    field: string,
    value: unknown,
    read: (field: string, value: unknown) => Value,
  ): Value | undefined {
    return value === undefined || value === null ? undefined : read(field, value);
  }

  retired(value: unknown): readonly RetiredSecret[] {
    if (!Array.isArray(value) || value.length > MAX_RETIRED)
      throw this.refused("retired", `is not a list of at most ${MAX_RETIRED}`);
    return value.map((each: unknown, index) => {
      const field = `retired[${index}]`;
      const { hash, at, kind } = this.#object(field, each);
      return {
        hash: this.text(`${field}.hash`, hash),
        at: this.time(`${field}.at`, at),
        kind: this.oneOf<RetiredSecret["kind"]>(`${field}.kind`, kind, RETIRED_KINDS),
      };
    });
  }

  metadata(value: unknown): Metadata {
    const metadata: Record<string, JsonValue> = Object.create(null);
    for (const [key, item] of Object.entries(this.#object("metadata", value))) {
      metadata[key] = this.#json(key, item);
    }
    return Object.freeze(metadata);
  }

  #json(key: string, value: unknown): JsonValue {
    // Most values are scalars, which need no walk.
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    try {
      return freezeJson(value, key).value;
    } catch (cause) {
      throw new SessionError(
        "RECORD_UNREADABLE",
        `The stored session ${this.#id} cannot be read: its data is not plain JSON.`,
        { cause },
      );
    }
  }

  #object(field: string, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.refused(field, `is ${kindOf(value)}, not an object`);
    return value as Readonly<Record<string, unknown>>;
  }
}

/** Names what a value is without repeating it: it may be anybody's. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value;
}
