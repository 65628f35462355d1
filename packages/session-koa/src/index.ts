// biome-ignore-all assist/source/organizeImports: the headings are the order.
// The core, so that one package is installed and imported. The one exception to the rule against `export *`.
export * from "@kyb/session-core";

// Middleware
export { session, type SessionContext, type SessionOptions } from "./session.ts";
export { type MountedApiOptions, sessionApi } from "./session-api.ts";
export { mount, type MountOptions } from "./mount.ts";
export type { FetchHandler } from "@kyb/session-node";

// The management API
export {
  type Authorize,
  type AuthorizeContext,
  type AuthorizeTarget,
  allowLoopback,
  type SessionAction,
  type SessionApiOptions,
} from "@kyb/session-core/api";
