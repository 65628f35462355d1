import type { IncomingMessage, ServerResponse } from "node:http";
import type { RegisteredData, SessionManager, Visit } from "@kyb/session-core";
import { Departure } from "./departure.ts";
import { remember } from "./opened.ts";

/** A request with its visit. */
export interface Attachment<Data extends object = RegisteredData> {
  manager: SessionManager<Data>;
  visit: Visit<Data>;
  req: IncomingMessage;
  res: ServerResponse;
  /**
   * Is called once, with the store's refusal, where the handler has answered and nothing was sent yet: the host's
   * error handling answers instead.
   */
  fail: (error: unknown) => void;
}

/**
 * For adapters of hosts that are built on `node:http`: follows a response to its end, so that the visit is committed,
 * sealed and finished in time. Afterwards `visitOf(req, manager)` finds the visit.
 *
 * Answers false if the client has left already; the visit is over then.
 */
export function attach<Data extends object = RegisteredData>(
  attachment: Attachment<Data>,
): boolean {
  const { manager, visit, req, res, fail } = attachment;
  const departure = new Departure(visit, req, res, fail);
  if (res.destroyed) {
    departure.close();
    return false;
  }
  remember(req, manager, visit);
  departure.begin();
  return true;
}
