import type { Engine } from "./engine.ts";
import type { Metadata } from "./metadata.ts";
import type { SessionRecord, Transport } from "./record.ts";
import { storeFull, userLimitHit } from "./refusals.ts";
import type { Token } from "./token.ts";

/** What is known of a session that is to be made. */
export interface NewSessionFacts {
  readonly transport: Transport;
  readonly userId: string | undefined;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly metadata: Metadata;
  /** Size of `metadata` as JSON. */
  readonly bytes: number;
}

/** A session and the only copy of its secret. */
export interface CreatedSession {
  readonly record: SessionRecord;
  readonly token: Token;
  readonly secretHash: string;
}

/** Makes a session with an id and a secret of its own. Throws `STORE_FULL` or `USER_LIMIT`. */
export async function createSession(
  engine: Engine,
  facts: NewSessionFacts,
): Promise<CreatedSession> {
  const { config, random, gateway } = engine;
  const token = { id: random.characters(config.sessionIdLength), secret: random.secret() };
  const secretHash = engine.sha256(token.secret);
  const isProvisional = facts.userId === undefined && facts.bytes === 0;
  const session = {
    id: token.id,
    secretHash,
    transport: facts.transport,
    userId: facts.userId,
    ipAddress: facts.ipAddress,
    userAgent: facts.userAgent,
    idleTimeout: config.sessionTimeout,
    absoluteTimeout: config.absoluteTimeout,
    provisionalTimeout: isProvisional ? config.provisionalTimeout : undefined,
    metadata: facts.metadata,
    metadataBytes: facts.bytes,
  };
  const limits = { maxSessions: config.maxSessions, user: config.userLimit };
  const result = await gateway.call("create", (store, call) => store.create(session, limits, call));
  if (result.status === "created") return { record: result.record, token, secretHash };
  engine.limitHit(result.limit, facts.userId);
  throw result.limit === "user" ? userLimitHit() : storeFull();
}
