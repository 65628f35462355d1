import type {
  ApiContext,
  AuthorizeContext,
  SessionApi,
  SessionApiOptions,
} from "../../../src/api/index.ts";
import { createSessionApi } from "../../../src/api/index.ts";
import type { ConnectionInfo, SessionConfig } from "../../../src/index.ts";
import { completeResponse, memoryStore, type Session, SessionManager } from "../../../src/index.ts";
import { ManualClock } from "../../support/clock.ts";
import { violations } from "./openapi.ts";

/** Session data of these tests. */
export interface Bag {
  [key: string]: unknown;
}

export const BASE = "/v1/sessions";
/** Where the tests' application is. */
export const ORIGIN = "https://shop.example";
export const PEER: ConnectionInfo = { remoteAddress: "203.0.113.9", encrypted: true };

export interface WorldOptions {
  config?: SessionConfig<Bag>;
  api?: Partial<SessionApiOptions<Bag>>;
  /** Whether `session()` stands in front of the API, as on most hosts. Default true. */
  behindSession?: boolean;
}

export interface Init {
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with its content type; a text and a stream as they are, with none. */
  body?: unknown;
  connection?: ConnectionInfo | undefined;
  mountPath?: string;
  /** Default: {@link ORIGIN}. */
  origin?: string;
}

/** An answer of the API, read. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
  readonly setCookies: readonly string[];
}

/** Who authorizes in tests: the user `admin`. */
export function isAdmin({ session }: AuthorizeContext<Bag>): boolean {
  return session?.userId === "admin";
}

/** One application with a management API, on a clock that the test moves. */
export class ApiWorld {
  readonly clock = new ManualClock();
  readonly manager: SessionManager<Bag>;
  readonly api: SessionApi;
  readonly behindSession: boolean;
  readonly basePath: string;

  constructor({ config = {}, api = {}, behindSession = true }: WorldOptions = {}) {
    this.manager = new SessionManager<Bag>({ clock: this.clock, store: memoryStore(), ...config });
    this.api = createSessionApi(this.manager, { authorize: isAdmin, ...api });
    this.behindSession = behindSession;
    this.basePath = api.basePath ?? BASE;
  }

  client(): ApiClient {
    return new ApiClient(this);
  }

  /** A client whose user has signed in. */
  async signedIn(userId: string, metadata: Bag = {}): Promise<ApiClient> {
    const client = this.client();
    await client.visit((session) => session.signIn(userId, { metadata }));
    return client;
  }

  /** A client with an anonymous session that has come back once. */
  async anonymous(metadata: Bag = {}): Promise<ApiClient> {
    const client = this.client();
    await client.visit((session) => {
      for (const [key, value] of Object.entries(metadata)) session.set(key, value);
    });
    await client.visit();
    return client;
  }
}

/** A browser, as far as cookies go. */
export class ApiClient {
  readonly #world: ApiWorld;
  readonly cookies = new Map<string, string>();
  /** Of the latest visit. */
  sessionId = "";

  constructor(world: ApiWorld) {
    this.#world = world;
  }

  /** The token in its session cookie. */
  get token(): string {
    return [...this.cookies.values()][0] ?? "";
  }

  /** An ordinary request to the application. */
  async visit(
    handler: (session: Session<Bag>) => unknown = () => undefined,
    path = "/",
  ): Promise<void> {
    const request = new Request(`${ORIGIN}${path}`, { headers: this.#headers({}) });
    const { manager } = this.#world;
    const visit = await manager.visit(request, PEER);
    await handler(visit.session);
    const response = await completeResponse(visit, "GET", new Response(null, { status: 204 }));
    this.sessionId = visit.session.id;
    this.#take(response.headers);
  }

  /** A request to the API. Each answer is held against the OpenAPI document. */
  async send(method: string, path: string, init: Init = {}): Promise<ApiAnswer> {
    const answer = await this.sendTo(method, `${this.#world.basePath}${path}`, init);
    if (answer === undefined) throw new Error(`${method} ${path} is not the API's.`);
    const route = path.split("?", 1)[0] || "/";
    const broken = violations(method, route, answer.status, answer.headers, answer.body);
    if (broken.length > 0) throw new Error(`${broken.join("; ")}\n${answer.text}`);
    return answer;
  }

  /** A request to any path; undefined where the API does not answer. */
  async sendTo(method: string, path: string, init: Init = {}): Promise<ApiAnswer | undefined> {
    const response = await this.#fetch(
      request(method, path, this.#headers(init.headers), init),
      init,
    );
    if (response === undefined) return undefined;
    this.#take(response.headers);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
      setCookies: response.headers.getSetCookie(),
    };
  }

  async #fetch(request: Request, init: Init): Promise<Response | undefined> {
    const { manager, api, behindSession } = this.#world;
    const connection = "connection" in init ? init.connection : PEER;
    const context: ApiContext = { mountPath: init.mountPath };
    if (!behindSession) return api(request, connection, context);
    // As `session()` and `sessionApi()` of every adapter do.
    const visit = await manager.visit(request, connection);
    const response = await api(request, connection, { ...context, visit });
    return response && completeResponse(visit, request.method, response);
  }

  #headers(headers: Readonly<Record<string, string>> = {}): Headers {
    const all = new Headers({ "user-agent": "curl/8.5.0", ...headers });
    if (this.cookies.size > 0 && !all.has("cookie")) {
      all.set("cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    return all;
  }

  #take(headers: Headers): void {
    for (const setCookie of headers.getSetCookie()) {
      const [pair = ""] = setCookie.split(";");
      const equals = pair.indexOf("=");
      if (/;\s*max-age=0\b/i.test(setCookie)) this.cookies.delete(pair.slice(0, equals));
      else this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
  }
}

/** Runs something while it listens to what is written to the console as an error. */
export async function reportsOf(action: () => Promise<unknown>): Promise<unknown[][]> {
  const reports: unknown[][] = [];
  const { error } = console;
  console.error = (...parts: unknown[]) => {
    reports.push(parts);
  };
  try {
    await action();
  } finally {
    console.error = error;
  }
  return reports;
}

function request(method: string, path: string, headers: Headers, { body, origin }: Init): Request {
  const url = `${origin ?? ORIGIN}${path}`;
  if (body === undefined) return new Request(url, { method, headers });
  if (body instanceof ReadableStream) {
    const streaming = { method, headers, body, duplex: "half" };
    return new Request(url, streaming as RequestInit);
  }
  const isText = typeof body === "string";
  if (!isText && !headers.has("content-type")) headers.set("content-type", "application/json");
  const made = new Request(url, { method, headers, body: isText ? body : JSON.stringify(body) });
  // A platform adds a type of its own to a text, which is not what the test sends.
  if (isText && !headers.has("content-type")) made.headers.delete("content-type");
  return made;
}
