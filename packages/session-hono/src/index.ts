// biome-ignore-all assist/source/organizeImports: the headings are the order.
// The core, so that one package is installed and imported. The one exception to the rule against `export *`.
export * from "@kyb/session-core";

// Middleware
export { type SessionEnv, type SessionOptions, session } from "./session.ts";
export { type MountedApiOptions, sessionApi } from "./session-api.ts";
export { type FetchHandler, mount, type MountOptions } from "./mount.ts";

// The management API
export {
  type Authorize,
  type AuthorizeContext,
  type AuthorizeTarget,
  allowLoopback,
  type SessionAction,
  type SessionApiOptions,
} from "@kyb/session-core/api";
