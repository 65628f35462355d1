import type { Session, SessionManager } from "@kyb/session-core";
import type { SessionApiOptions } from "@kyb/session-core/api";
import type { AdapterBench } from "./bench.ts";
import type { Reply } from "./reply.ts";

/** What the sessions of the suite hold. */
export interface TestData {
  [key: string]: string | number | number[];
}

/** How the suite gets at the adapter that it tests. */
export interface AdapterHarness {
  /** Serves an application on a free port of 127.0.0.1, with the host's own server and the adapter in it. */
  start(app: AdapterApp): Promise<RunningHost>;
  /** What the host cannot do, with the reason; the cases that need it are skipped. */
  readonly cannot?: Readonly<Partial<Record<HostAbility, string>>>;
}

/** What not every host has; everything else every adapter must show. */
export type HostAbility =
  /** Answers an error by itself where the application has no error handling. */
  | "default error handling"
  /** Tells the adapter that a client has left before there was anything to send. */
  | "notice of clients that leave"
  /** Middleware below a path, which the host takes away from what the middleware sees. */
  | "mount points";

export interface RunningHost {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Stops the server, and cuts off what is still on the way. */
  close(): Promise<void>;
}

/** The application that a case wants to have served. */
export interface AdapterApp {
  readonly manager: SessionManager<TestData>;
  /** What stands before the routes, in this order. */
  readonly layers: readonly Layer[];
  /** Handlers by exact path, for every method. The host itself answers whatever is not among them, with 404. */
  readonly routes: ReadonlyMap<string, RouteHandler>;
  /** The application's own error handling, in the place that the host has for it. Default: the host's own. */
  readonly onError: ((error: unknown) => Reply) | undefined;
}

/** Middleware. `at`: the path below which it stands; only used where the host has mount points. */
export type Layer =
  /** The adapter's `session(manager)`. */
  | { readonly kind: "session"; readonly at?: string }
  /** The adapter's `sessionApi(manager, options)`. */
  | { readonly kind: "api"; readonly options: SessionApiOptions<TestData>; readonly at?: string }
  /** The adapter's `mount(handler)`. */
  | { readonly kind: "mount"; readonly handler: FetchHandler; readonly at?: string }
  /** What is usual on the host to read JSON bodies before the handlers do. */
  | { readonly kind: "body-parser" };

/** A handler over Web standards; undefined: not its path. */
export type FetchHandler = (
  request: Request,
) => Response | undefined | Promise<Response | undefined>;

/** What a route does, whatever the host. What it throws goes to the host's error handling. */
export type RouteHandler = (context: RouteContext) => Promise<Reply>;

export interface RouteContext {
  /** The session, from where the adapter puts it. */
  readonly session: Session<TestData>;
  /** Path and query as the client sent them. */
  readonly url: string;
}

/** What a case is about. */
export type AdapterTopic =
  | "cookie"
  | "credentials"
  | "state"
  | "identity"
  | "errors"
  | "outage"
  | "streaming"
  | "timeline"
  | "caching"
  | "client"
  | "races"
  | "mount"
  | "management API";

/** One behaviour that every adapter must show. Data, so that the same cases run against broken twins. */
export interface AdapterCase {
  /** A sentence about the behaviour. */
  readonly name: string;
  readonly topic: AdapterTopic;
  /** Skipped where the host cannot do this. */
  readonly needs?: HostAbility;
  /** Throws where the adapter behaves otherwise. */
  run(bench: AdapterBench): Promise<void>;
}

export function inTopic(
  topic: AdapterTopic,
  cases: readonly Omit<AdapterCase, "topic">[],
): readonly AdapterCase[] {
  return cases.map((each) => ({ ...each, topic }));
}
