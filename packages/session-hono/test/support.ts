import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { type Clock, memoryStore, type SessionStore } from "@kyb/session-core";

/** What the sessions of these tests hold. */
export interface Data {
  views: number;
  note: string;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = Date.UTC(2030, 0, 1, 12);

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** An entry of the timeline, as the store was given it. */
export interface SeenEntry {
  readonly statusCode: number;
  readonly responseSize: number;
  readonly duration: number;
  readonly endpoint: string;
  readonly method: string;
}

interface Batch {
  readonly items: readonly { readonly entry: SeenEntry | undefined }[];
}

/** A memory store whose calls a test can hold up or make fail, and that says when a request was tracked. */
export class TestStore {
  readonly store: SessionStore;
  readonly #failing = new Set<string>();
  readonly #gates = new Map<string, { arrive: () => void; open: Promise<void> }>();
  readonly #entries: SeenEntry[] = [];
  #waiting: ((entry: SeenEntry) => void) | undefined;

  constructor() {
    this.store = new Proxy<SessionStore>(memoryStore(), {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        const run = (values: unknown[]): unknown => Reflect.apply(value, target, values);
        return (...values: unknown[]) => this.#call(String(key), run, values);
      },
    });
  }

  /** From now on these calls fail. */
  fail(...methods: (keyof SessionStore)[]): void {
    for (const method of methods) this.#failing.add(method);
  }

  recover(): void {
    this.#failing.clear();
  }

  /** Holds up the next call of this method. */
  hold(method: keyof SessionStore): { arrived: Promise<void>; release(): void } {
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    this.#gates.set(method, { arrive: arrived.resolve, open: gate.promise });
    return { arrived: arrived.promise, release: gate.resolve };
  }

  /** The next request that was tracked and not asked for yet. */
  entry(): Promise<SeenEntry> {
    const entry = this.#entries.shift();
    if (entry !== undefined) return Promise.resolve(entry);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #call(name: string, run: (values: unknown[]) => unknown, values: unknown[]): unknown {
    if (this.#failing.has(name)) return Promise.reject(new Error("the driver's own words"));
    const gate = this.#gates.get(name);
    if (gate !== undefined) {
      this.#gates.delete(name);
      gate.arrive();
      return gate.open.then(() => run(values));
    }
    const result = run(values);
    if (name === "track") this.#see(values[0] as Batch);
    return result;
  }

  #see({ items }: Batch): void {
    for (const { entry } of items) {
      if (entry === undefined) continue;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting === undefined) this.#entries.push(entry);
      else waiting(entry);
    }
  }
}

/** Where an application runs. */
export interface Host {
  send(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

interface Application {
  fetch(request: Request, env?: object): Response | Promise<Response>;
}

/** As on a host that takes the response as it is. */
export async function inProcess(app: Application): Promise<Host> {
  return {
    send: async (path, init) => app.fetch(new Request(`http://localhost${path}`, init)),
    close: async () => undefined,
  };
}

/** On Hono's own Node server, over a real connection. */
export async function onNode(app: Application): Promise<Host> {
  const { promise: listening, resolve } = Promise.withResolvers<AddressInfo>();
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, resolve);
  const { port } = await listening;
  return {
    send: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init }),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        if ("closeAllConnections" in server) server.closeAllConnections();
      }),
  };
}

/** A client that keeps its cookies. */
export class Browser {
  readonly #host: Host;
  readonly #cookies = new Map<string, string>();

  constructor(host: Host) {
    this.#host = host;
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`);
    if (cookies.length > 0) headers.set("Cookie", cookies.join("; "));
    const response = await this.#host.send(path, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  async text(path: string, init?: RequestInit): Promise<string> {
    return (await this.send(path, init)).text();
  }
}
