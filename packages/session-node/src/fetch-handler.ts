import type { ConnectionInfo } from "@kyb/session-core";
import type { ApiContext } from "@kyb/session-core/api";

/** Answers a request, or undefined where it is not for this handler; what `createSessionApi` makes is one. */
export type FetchHandler = (
  request: Request,
  connection?: ConnectionInfo,
  context?: ApiContext,
) => Response | undefined | Promise<Response | undefined>;
