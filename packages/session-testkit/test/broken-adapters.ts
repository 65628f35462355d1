import { brokenErrors } from "./broken-adapters/errors.ts";
import { brokenHandles } from "./broken-adapters/handles.ts";
import { brokenHeads } from "./broken-adapters/heads.ts";
import { brokenApis } from "./broken-adapters/management-api.ts";
import { brokenMountings } from "./broken-adapters/mounting.ts";
import { brokenResponses } from "./broken-adapters/responses.ts";
import { brokenStorings } from "./broken-adapters/storing.ts";
import { brokenTimelines } from "./broken-adapters/timelines.ts";
import type { BrokenAdapter } from "./broken-adapters/twin.ts";
import { brokenVisits } from "./broken-adapters/visits.ts";

/** For every guarantee an adapter that does not give it. */
export const brokenAdapters: readonly BrokenAdapter[] = [
  ...brokenHeads,
  ...brokenVisits,
  ...brokenHandles,
  ...brokenStorings,
  ...brokenResponses,
  ...brokenErrors,
  ...brokenTimelines,
  ...brokenMountings,
  ...brokenApis,
];
