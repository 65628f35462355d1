// biome-ignore-all assist/source/organizeImports: the headings are the order.
// The core, so that one package is installed and imported. The one exception to the rule against `export *`.
export * from "@kyb/session-core";

// Middleware
export { type Middleware, type Next, session, type SessionOptions } from "./session.ts";
export { type MountedApiOptions, sessionApi } from "./session-api.ts";
export { mount, type MountOptions } from "./mount.ts";
export type { FetchHandler } from "./fetch-handler.ts";

// The management API
export {
  type Authorize,
  type AuthorizeContext,
  type AuthorizeTarget,
  allowLoopback,
  type SessionAction,
  type SessionApiOptions,
} from "@kyb/session-core/api";

// Access
export { sessionOf, visitOf } from "./opened.ts";

// For adapters of hosts that are built on node:http
export { clearHead } from "./answer-head.ts";
export { attach, type Attachment } from "./attach.ts";
export { connectionOf } from "./connection.ts";
export { headOf, urlOf } from "./head.ts";
export { apiPathGuess } from "./session-api.ts";
export { type Exchange, serve } from "./serve.ts";

// Stores of express-session
export type { ExpressSessionStore } from "./express-store/express-session-store.ts";
export { fromExpressStore } from "./express-store/from-express-store.ts";
