import {
  type ActivityEntry,
  memoryStore,
  type SessionConfig,
  type SessionEvents,
  type SessionInit,
  SessionManager,
} from "@kyb/session-core";
import { expect } from "vitest";
import { Browser } from "./browser.ts";
import { Client } from "./client.ts";
import { ManualClock } from "./clock.ts";
import { Gate } from "./gate.ts";
import { GatedStore } from "./gated-store.ts";
import type { AdapterHarness, Layer, RouteHandler, RunningHost, TestData } from "./harness.ts";
import { eventually, type Patience } from "./patience.ts";
import type { Reply } from "./reply.ts";
import { FENCE, standardRoutes } from "./routes.ts";

/** What a case asks for; everything has a default. */
export interface AppOptions {
  readonly config?: SessionConfig<TestData>;
  /**
   * `memory`, the default, answers at once; `gated` later, and a case can hold it up and break it.
   */
  readonly store?: "memory" | "gated";
  /** Added to the standard ones; see `standardRoutes`. */
  readonly routes?: Readonly<Record<string, RouteHandler>>;
  /** Default: `session()` alone. */
  readonly layers?: readonly Layer[];
  readonly onError?: (error: unknown) => Reply;
}

/** What a case works with: an adapter, and whatever has to be let go of in the end. */
export class AdapterBench {
  readonly patience: Patience;
  readonly #harness: AdapterHarness;
  readonly #gates: Gate[] = [];
  readonly #apps: App[] = [];

  constructor(harness: AdapterHarness, patience: Patience) {
    this.#harness = harness;
    this.patience = patience;
  }

  /** Serves an application of the case's own, with a manager and an empty store. */
  async start(options: AppOptions = {}): Promise<App> {
    const clock = new ManualClock();
    const store = new GatedStore(this.patience, options.config?.storeTimeout === undefined);
    const manager = new SessionManager<TestData>({
      clock,
      store: options.store === "gated" ? store : memoryStore(),
      // Gates hold calls up for as long as a case likes.
      storeTimeout: "1m",
      ...options.config,
      skip: (head) => head.url.endsWith(FENCE) || options.config?.skip?.(head) === true,
    });
    const heard = new Map<Heard, unknown[]>();
    for (const name of EVENTS) {
      const list: unknown[] = [];
      heard.set(name, list);
      manager.on(name, (event) => list.push(event));
    }
    const host = await this.#harness.start({
      manager,
      layers: options.layers ?? [{ kind: "session" }],
      routes: new Map(Object.entries({ ...standardRoutes, ...options.routes })),
      onError: options.onError,
    });
    const app = new App(this.patience, host, { manager, store, clock, heard });
    this.#apps.push(app);
    return app;
  }

  /** See {@link Gate}; whatever still waits there when the case is over may go. */
  gate(expected = 1): Gate {
    const gate = new Gate(this.patience, expected);
    this.#gates.push(gate);
    return gate;
  }

  async close(): Promise<void> {
    for (const gate of this.#gates) gate.open();
    for (const app of this.#apps) await app.close();
  }
}

const EVENTS = ["lost-write", "withheld", "tracking-dropped", "config-warning"] as const;

type Heard = (typeof EVENTS)[number];

interface AppParts {
  readonly manager: SessionManager<TestData>;
  /** Only in use where the case asked for it. */
  readonly store: GatedStore;
  readonly clock: ManualClock;
  readonly heard: ReadonlyMap<Heard, readonly unknown[]>;
}

/** A running application. */
export class App {
  readonly manager: SessionManager<TestData>;
  readonly store: GatedStore;
  readonly clock: ManualClock;
  readonly origin: string;
  readonly #patience: Patience;
  readonly #host: RunningHost;
  readonly #heard: AppParts["heard"];
  readonly #clients: Client[] = [];

  constructor(patience: Patience, host: RunningHost, parts: AppParts) {
    this.#patience = patience;
    this.#host = host;
    this.origin = host.origin;
    this.manager = parts.manager;
    this.store = parts.store;
    this.clock = parts.clock;
    this.#heard = parts.heard;
  }

  /** A client that keeps no cookies. */
  client(connections?: number): Client {
    return this.#keep(new Client(this.#patience, this.origin, connections));
  }

  /** A browser that was never here. */
  newcomer(): Browser {
    return this.#keep(new Browser(this.#patience, this.origin));
  }

  /** A browser with a session, of which no request was made yet. */
  async visitor(
    init: SessionInit<TestData> = {},
  ): Promise<{ readonly browser: Browser; readonly id: string }> {
    const { session, token } = await this.manager.create(init);
    const browser = this.newcomer();
    browser.cookies.set("kyb_session_id", token);
    return { browser, id: session.id };
  }

  /** What the events of one kind carried so far. */
  heard<Name extends Heard>(name: Name): readonly SessionEvents[Name][] {
    return (this.#heard.get(name) ?? []) as readonly SessionEvents[Name][];
  }

  /** How many sessions were ever made. */
  async count(): Promise<number> {
    return (await this.manager.metrics()).totalSessions;
  }

  /** A session's data as it is stored. */
  async data(id: string): Promise<unknown> {
    return (await this.manager.get(id))?.metadata;
  }

  /**
   * A session's timeline, oldest first, once it has as many lines. One more round trip shows that there is not one
   * too many.
   */
  async timeline(id: string, lines: number): Promise<readonly ActivityEntry[]> {
    const read = async (): Promise<readonly ActivityEntry[]> =>
      (await this.manager.activity(id)).items.toReversed();
    await this.eventually(async () => {
      expect((await read()).length, "lines of the timeline").toBeGreaterThanOrEqual(lines);
    });
    await this.fence();
    const entries = await read();
    expect(entries, "the timeline").toHaveLength(lines);
    return entries;
  }

  /** The one line of a session's timeline. */
  async entry(id: string): Promise<ActivityEntry> {
    const [entry] = await this.timeline(id, 1);
    return entry ?? expect.unreachable("the timeline is empty");
  }

  /** Two round trips by somebody else: what the server had sent before has arrived by then. */
  async fence(): Promise<void> {
    const client = this.client();
    await client.ask(FENCE);
    await client.ask(FENCE);
  }

  /** See {@link eventually}. */
  eventually<Value>(check: () => Promise<Value>): Promise<Value> {
    return eventually(this.#patience, check);
  }

  async close(): Promise<void> {
    this.store.release();
    for (const client of this.#clients) client.close();
    await this.#host.close();
    await this.manager.close();
    this.store.close();
  }

  #keep<Kind extends Client>(client: Kind): Kind {
    this.#clients.push(client);
    return client;
  }
}
