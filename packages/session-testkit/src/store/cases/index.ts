import type { StoreCase } from "../harness.ts";
import { activityCases } from "./activity.ts";
import { commitCases } from "./commit.ts";
import { createCases } from "./create.ts";
import { dataCases } from "./data.ts";
import { endCases } from "./end.ts";
import { eventCases } from "./events.ts";
import { expiryCases } from "./expiry.ts";
import { importCases } from "./import.ts";
import { lifeSpanCases } from "./life-span.ts";
import { limitCases } from "./limits.ts";
import { listingCases } from "./listing.ts";
import { metricsCases } from "./metrics.ts";
import { secretCases } from "./secrets.ts";
import { trackCases } from "./track.ts";

/** All cases but the races. */
export const plainCases: readonly StoreCase[] = [
  ...createCases,
  ...commitCases,
  ...dataCases,
  ...secretCases,
  ...endCases,
  ...trackCases,
  ...expiryCases,
  ...limitCases,
  ...listingCases,
  ...activityCases,
  ...metricsCases,
  ...eventCases,
  ...importCases,
  ...lifeSpanCases,
];
