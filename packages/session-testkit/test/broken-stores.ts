import { brokenTimelines } from "./broken/activity.ts";
import { brokenCommits } from "./broken/commit.ts";
import { brokenCreates } from "./broken/create.ts";
import { brokenData } from "./broken/data.ts";
import { brokenEnds } from "./broken/end.ts";
import { brokenEvents } from "./broken/events.ts";
import { brokenExpiry } from "./broken/expiry.ts";
import { brokenImports } from "./broken/import.ts";
import { brokenLimits } from "./broken/limits.ts";
import { brokenListings } from "./broken/listing.ts";
import { brokenMetrics } from "./broken/metrics.ts";
import { brokenSecrets } from "./broken/secrets.ts";
import { brokenTracking } from "./broken/track.ts";
import type { BrokenTwin } from "./broken/twin.ts";

/** For every guarantee a store that does not give it. */
export const brokenStores: readonly BrokenTwin[] = [
  ...brokenCreates,
  ...brokenCommits,
  ...brokenData,
  ...brokenSecrets,
  ...brokenEnds,
  ...brokenTracking,
  ...brokenExpiry,
  ...brokenLimits,
  ...brokenListings,
  ...brokenTimelines,
  ...brokenMetrics,
  ...brokenEvents,
  ...brokenImports,
];
