import type { DataKey, RegisteredData } from "../data.ts";
import { SessionError } from "../errors.ts";
import { invalidOption } from "../internal/invalid-option.ts";
import type { Authorize } from "./authorization.ts";

/** How the management API is set up. */
export interface SessionApiOptions<Data extends object = RegisteredData> {
  /**
   * Decides about everything but the caller's own sessions. Required: there is no default that would be right.
   * Only `true`, or a promise of `true`, permits.
   */
  authorize: Authorize<Data>;
  /** Where the API answers. Default `'/v1/sessions'`. */
  basePath?: string;
  /** Keys of the session data that users may see of their own sessions without permission. Default: none. */
  clientReadable?: readonly DataKey<Data>[];
  /**
   * Keys that clients may set in their own session without permission. Default: none.
   * Danger: handlers trust what is in a session. Name only what the user may choose, never a role.
   */
  clientWritable?: readonly DataKey<Data>[];
}

/** The options as they are used: complete, checked, frozen. */
export interface ResolvedApiOptions {
  readonly authorize: Authorize<object>;
  readonly basePath: string;
  readonly clientReadable: readonly string[];
  readonly clientWritable: ReadonlySet<string>;
}

const OPTIONS: ReadonlySet<string> = new Set<keyof SessionApiOptions>([
  "authorize",
  "basePath",
  "clientReadable",
  "clientWritable",
]);

/** One or more segments of unreserved characters (RFC 3986 §2.3). */
const BASE_PATH = /^(?:\/[\w.~-]+)+$/;

/** Checks and completes the options. Throws `INVALID_CONFIG` naming the option, the rule and the value. */
export function resolveApiOptions<Data extends object>(
  options: SessionApiOptions<Data>,
): ResolvedApiOptions {
  if (typeof options !== "object" || options === null) {
    throw invalidOption("options", "an object with an authorize function", options);
  }
  const unknown = Object.keys(options).find((key) => !OPTIONS.has(key));
  if (unknown !== undefined) {
    throw new SessionError("INVALID_CONFIG", `The management API has no option "${unknown}".`);
  }
  const { authorize, basePath = "/v1/sessions" } = options;
  if (typeof authorize !== "function") {
    const rule =
      "a function that decides who may do what (for a demo on this machine: allowLoopback)";
    throw invalidOption("authorize", rule, authorize);
  }
  if (typeof basePath !== "string" || !BASE_PATH.test(basePath)) {
    throw invalidOption(
      "basePath",
      'a path such as "/v1/sessions", without a slash at its end',
      basePath,
    );
  }
  return Object.freeze({
    // The application's data is what it promised for its manager; nothing at run time depends on it.
    authorize: authorize as unknown as Authorize<object>,
    basePath,
    clientReadable: keys("clientReadable", options.clientReadable),
    clientWritable: new Set(keys("clientWritable", options.clientWritable)),
  });
}

function keys(option: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((key) => typeof key === "string" && key !== "")) {
    return Object.freeze([...value]);
  }
  throw invalidOption(option, "a list of keys of the session data", value);
}
