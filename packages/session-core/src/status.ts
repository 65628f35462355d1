import type { ResolvedConfig } from "./config.ts";
import type { SessionMetrics } from "./metrics/session-metrics.ts";
import type { StoreCapabilities } from "./store.ts";
import { VERSION } from "./version.ts";

/** What is switched on; may be shown to everybody. */
export interface SessionFeatures {
  readonly sessionManagement: true;
  readonly userTracking: boolean;
  readonly metrics: boolean;
  readonly userIndex: boolean;
  readonly durableStore: boolean;
  readonly sharedStore: boolean;
}

/** Whether it works and how it is set up. Times epoch milliseconds. */
export interface SessionStatus {
  readonly status: "operational";
  readonly features: SessionFeatures;
  readonly version: string;
  /** The part of the configuration that explains what users see. Durations in milliseconds. */
  readonly configuration: {
    readonly store: string;
    readonly sessionTimeout: number;
    readonly absoluteTimeout: number;
    readonly provisionalTimeout: number;
    readonly maxSessions: number | undefined;
    readonly maxSessionsPerUser: number | undefined;
    readonly onUserLimit: string | undefined;
    readonly create: "visit" | "write";
    readonly transports: readonly string[];
    readonly activityLimit: number;
    readonly maxMetadataBytes: number;
  };
  /** Undefined where metrics are switched off. */
  readonly metrics: SessionMetrics | undefined;
  readonly timestamp: number;
}

/** Puts the status together. */
export function describeStatus(
  config: ResolvedConfig,
  capabilities: StoreCapabilities,
  metrics: SessionMetrics | undefined,
  now: number,
): SessionStatus {
  return {
    status: "operational",
    features: {
      sessionManagement: true,
      userTracking: config.trackUserActivity,
      metrics: config.enableMetrics,
      userIndex: capabilities.userIndex,
      durableStore: capabilities.durable,
      sharedStore: capabilities.shared,
    },
    version: VERSION,
    configuration: {
      store: capabilities.name,
      sessionTimeout: config.sessionTimeout,
      absoluteTimeout: config.absoluteTimeout,
      provisionalTimeout: config.provisionalTimeout,
      maxSessions: config.maxSessions,
      maxSessionsPerUser: config.userLimit?.max,
      onUserLimit: config.userLimit?.policy,
      create: config.create,
      transports: config.transports,
      activityLimit: config.activity.limit,
      maxMetadataBytes: config.maxMetadataBytes,
    },
    metrics,
    timestamp: now,
  };
}
