// The management API

// Authorization
export { allowLoopback } from "./allow-loopback.ts";
export type {
  Authorize,
  AuthorizeContext,
  AuthorizeTarget,
  SessionAction,
} from "./authorization.ts";
export {
  type AnyVisit,
  type ApiContext,
  createSessionApi,
  type SessionApi,
} from "./create-session-api.ts";
export type { SessionApiOptions } from "./options.ts";
