import type { AdapterCase } from "../harness.ts";
import { cachingCases } from "./caching.ts";
import { clientCases } from "./client.ts";
import { cookieCases } from "./cookie.ts";
import { credentialCases } from "./credentials.ts";
import { errorCases } from "./errors.ts";
import { identityCases } from "./identity.ts";
import { leavingCases } from "./leaving.ts";
import { managementApiCases } from "./management-api.ts";
import { mountCases } from "./mount.ts";
import { outageCases } from "./outage.ts";
import { raceCases } from "./races.ts";
import { stateCases } from "./state.ts";
import { streamingCases } from "./streaming.ts";
import { timelineCases } from "./timeline.ts";

/** Every case of the suite, by topic. */
export const adapterCases: readonly AdapterCase[] = [
  ...cookieCases,
  ...credentialCases,
  ...identityCases,
  ...stateCases,
  ...streamingCases,
  ...errorCases,
  ...outageCases,
  ...cachingCases,
  ...clientCases,
  ...timelineCases,
  ...leavingCases,
  ...raceCases,
  ...mountCases,
  ...managementApiCases,
];
