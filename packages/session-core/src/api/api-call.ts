import type { ConnectionInfo } from "../client.ts";
import { SessionError } from "../errors.ts";
import type { SessionManager } from "../manager.ts";
import type { Session } from "../session.ts";
import type { Visit } from "../visit.ts";
import { ApiError } from "./api-error.ts";
import type { AuthorizeContext, AuthorizeTarget, SessionAction } from "./authorization.ts";
import { checkCsrf, csrfFacts } from "./csrf.ts";
import type { ResolvedApiOptions } from "./options.ts";
import { type Parameters, readParameters } from "./parameters.ts";
import { reportFailure } from "./respond.ts";
import { SessionWriter } from "./views.ts";

/** What a route declares. `public`: the same for everybody, and nobody's secret. */
export interface RouteScope {
  readonly action: SessionAction | "public";
  /** Names of the query parameters; others are refused. */
  readonly parameters: readonly string[];
}

/** What a call comes with. */
export interface ApiRequest {
  readonly request: Request;
  readonly connection: ConnectionInfo;
  readonly visit: Visit<object>;
  /** Whether `session()` stands in front, where visitors without a session get one. */
  readonly isBehindSession: boolean;
}

/** One request to the management API: who asks, for what, and what they may do. */
export class ApiCall {
  readonly manager: SessionManager<object>;
  readonly options: ResolvedApiOptions;
  readonly request: Request;
  readonly visit: Visit<object>;
  readonly parameters: Parameters;
  readonly #connection: ConnectionInfo;
  readonly #isBehindSession: boolean;
  readonly #action: RouteScope["action"];

  /** Throws `CROSS_SITE`, `INVALID_PARAMETER`, or `STORE_UNAVAILABLE` where nobody knows who asks. */
  constructor(
    manager: SessionManager<object>,
    options: ResolvedApiOptions,
    { request, connection, visit, isBehindSession }: ApiRequest,
    { action, parameters }: RouteScope,
  ) {
    this.manager = manager;
    this.options = options;
    this.request = request;
    this.visit = visit;
    this.#connection = connection;
    this.#isBehindSession = isBehindSession;
    this.#action = action;
    if (visit.session.state === "unavailable") {
      throw new SessionError("STORE_UNAVAILABLE", "The session could not be read.");
    }
    const verdict = checkCsrf(csrfFacts(request, visit.facts, manager.config, this.caller));
    if (verdict.kind === "refused") {
      throw new ApiError(
        "CROSS_SITE",
        `A change must come from a page of this site, and ${verdict.header} says otherwise.`,
      );
    }
    this.parameters = readParameters(request.url, parameters);
  }

  /** The caller's session, which is all that says who the caller is; undefined where there is none. */
  get caller(): Session<object> | undefined {
    const { session } = this.visit;
    return session.isActive ? session : undefined;
  }

  /**
   * The caller's session, for a question about itself. Behind `session()` a newcomer gets one now, as on every
   * other path: there it was only put off until something needs it.
   */
  async ownSession(): Promise<Session<object> | undefined> {
    const { create, transports } = this.manager.config;
    const isAutomatic = create === "visit" && transports.includes("cookie");
    if (this.#isBehindSession && isAutomatic) await this.visit.ensure();
    return this.caller;
  }

  /**
   * Asks the application; `action` is the route's unless said otherwise. Only `true` permits. An authorizer that
   * throws refuses, and the error is reported, because the answer does not tell.
   */
  async permits(
    target?: AuthorizeTarget,
    action: RouteScope["action"] = this.#action,
  ): Promise<boolean> {
    if (action === "public") return true;
    const { caller: session, request } = this;
    const context: AuthorizeContext<object> = {
      action,
      request,
      connection: this.#connection,
      ...(session === undefined ? {} : { session }),
      ...(target === undefined ? {} : { target }),
    };
    try {
      return (await this.options.authorize(context)) === true;
    } catch (error) {
      reportFailure("authorize failed, so the request was refused", error);
      return false;
    }
  }

  /** Writes sessions for this caller. `isPermitted`: with all of their data. */
  writer(isPermitted: boolean): SessionWriter {
    const readable = isPermitted ? undefined : this.options.clientReadable;
    return new SessionWriter(this.caller?.id, readable);
  }
}
