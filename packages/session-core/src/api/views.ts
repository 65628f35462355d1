import type { ActivityEntry } from "../activity/entry.ts";
import { type ClientDescription, describeClient } from "../client/index.ts";
import type { SessionMetrics } from "../metrics/session-metrics.ts";
import type { SessionStatus } from "../status.ts";
import type { UserSession } from "../view.ts";

// How things look outside: snake_case, times in RFC 3339, durations in milliseconds with the suffix _ms.

/** The last moment that RFC 3339 can write: its years have four digits. */
const LAST_MOMENT = Date.UTC(10_000, 0) - 1;

/** Writes the sessions of one answer. */
export class SessionWriter {
  readonly #currentId: string | undefined;
  readonly #readable: readonly string[] | undefined;
  /** On one page most sessions share a few user agents, and each costs a few hundred expressions. */
  readonly #clients = new Map<string, ClientDescription>();

  /** `readable`: the keys of the data that are shown; undefined: all. */
  constructor(currentId: string | undefined, readable: readonly string[] | undefined) {
    this.#currentId = currentId;
    this.#readable = readable;
  }

  write(session: UserSession<object>): object {
    return {
      id: session.id,
      user_id: session.userId ?? null,
      ip_address: session.ipAddress,
      user_agent: session.userAgent,
      client: this.#client(session.userAgent),
      created_at: timestamp(session.createdAt),
      last_access_time: timestamp(session.lastAccessTime),
      last_activity_time: timestamp(session.lastActivityTime),
      request_count: session.requestCount,
      is_active: session.isActive,
      expires_at: timestamp(session.expiresAt),
      ended_at: session.endedAt === undefined ? null : timestamp(session.endedAt),
      end_reason: session.endReason ?? null,
      // As the average in the metrics has it: the part of the stay that was used.
      session_duration_ms: session.lastAccessTime - session.createdAt,
      metadata: this.#metadata(session.metadata),
      current: session.id === this.#currentId,
    };
  }

  #client(userAgent: string): ClientDescription {
    const known = this.#clients.get(userAgent);
    if (known !== undefined) return known;
    const client = describeClient(userAgent);
    this.#clients.set(userAgent, client);
    return client;
  }

  #metadata(metadata: object): object {
    const readable = this.#readable;
    if (readable === undefined) return metadata;
    return Object.fromEntries(Object.entries(metadata).filter(([key]) => readable.includes(key)));
  }
}

/** Epoch milliseconds as RFC 3339 in UTC. */
export function timestamp(time: number): string {
  return new Date(Math.min(time, LAST_MOMENT)).toISOString();
}

export function entryView(entry: ActivityEntry): object {
  return {
    timestamp: timestamp(entry.timestamp),
    action: entry.action,
    endpoint: entry.endpoint,
    method: entry.method,
    status_code: entry.statusCode,
    duration_ms: entry.duration,
    request_size: entry.requestSize,
    response_size: entry.responseSize,
    metadata: entry.metadata,
  };
}

/** The numbers that every installation has. */
export function basicMetricsView(metrics: SessionMetrics): object {
  return {
    total_sessions: metrics.totalSessions,
    active_sessions: metrics.activeSessions,
    expired_sessions: metrics.expiredSessions,
    average_session_length_ms: metrics.averageSessionLength,
    total_requests: metrics.totalRequests,
    requests_per_session: metrics.requestsPerSession,
    last_updated: timestamp(metrics.lastUpdated),
    peak_sessions: metrics.peakSessions,
    peak_sessions_time: metrics.peakSessions === 0 ? null : timestamp(metrics.peakSessionsTime),
    sessions_by_hour: metrics.sessionsByHour,
  };
}

/** The numbers beside them. */
export function statisticsView(metrics: SessionMetrics): object {
  const { store } = metrics;
  return {
    signed_in_sessions: metrics.signedInSessions,
    anonymous_sessions: metrics.anonymousSessions,
    provisional_sessions: metrics.provisionalSessions,
    ended_by_reason: metrics.endedByReason,
    active_users: metrics.activeUsers,
    requests_per_minute: metrics.requestsPerMinute,
    requests_by_status: metrics.requestsByStatus,
    error_rate: metrics.errorRate,
    top_endpoints: metrics.topEndpoints,
    duration_p50_ms: metrics.durationP50,
    duration_p95_ms: metrics.durationP95,
    duration_p99_ms: metrics.durationP99,
    store: {
      calls: store.calls,
      failures: store.failures,
      average_duration_ms: store.averageDuration,
      max_duration_ms: store.maxDuration,
    },
    store_errors: metrics.storeErrors,
    lost_sessions: metrics.lostSessions,
    tracking_dropped: metrics.trackingDropped,
    limit_hits: metrics.limitHits,
    conflicts_prevented: metrics.conflictsPrevented,
  };
}

export function featuresView(features: SessionStatus["features"]): object {
  return {
    session_management: features.sessionManagement,
    user_tracking: features.userTracking,
    metrics: features.metrics,
    user_index: features.userIndex,
    durable_store: features.durableStore,
    shared_store: features.sharedStore,
  };
}

export function configurationView(configuration: SessionStatus["configuration"]): object {
  return {
    store: configuration.store,
    session_timeout_ms: configuration.sessionTimeout,
    absolute_timeout_ms: configuration.absoluteTimeout,
    provisional_timeout_ms: configuration.provisionalTimeout,
    max_sessions: configuration.maxSessions ?? null,
    max_sessions_per_user: configuration.maxSessionsPerUser ?? null,
    on_user_limit: configuration.onUserLimit ?? null,
    create: configuration.create,
    transports: configuration.transports,
    activity_limit: configuration.activityLimit,
    max_metadata_bytes: configuration.maxMetadataBytes,
  };
}
