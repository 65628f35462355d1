import { setTimeout as pause } from "node:timers/promises";
import { type SessionErrorCode, SessionManager } from "@kyb/session-core";
import type { SessionStore, StoreCall } from "@kyb/session-core/store";
import { expect } from "vitest";
import { Client } from "../adapter/client.ts";
import { eventually } from "../adapter/patience.ts";
import { Escapes } from "./escapes.ts";
import type { ConnectedStore, FaultHarness, FaultTarget } from "./harness.ts";
import { LoopWatch } from "./loop-watch.ts";
import { Network } from "./network.ts";
import { type Person, type Reply, wrongIn } from "./person.ts";
import { CallWatch, watched } from "./watched-store.ts";
import { type FaultData, isPublic, type Served, WebApp } from "./web-app.ts";

/** `storeTimeout` of the manager that is tested, milliseconds. */
export const DEADLINE = 250;

/** Longest time from the end of a fault until requests are served again, milliseconds. */
export const RECOVERY = 2000;

/** Longest time that anything is waited for, milliseconds; only what is broken ever takes so long. */
export const LONGEST_WAIT: number = 2 * RECOVERY;

/** What a case works with: an application whose store is behind a network that can be broken, and a look past it. */
export class FaultBench<Target extends FaultTarget = FaultTarget> {
  readonly network: Network;
  readonly target: Target;
  /** The manager that is tested. */
  readonly manager: SessionManager<FaultData>;
  /** Past the network: what is really there. */
  readonly witness: SessionManager<FaultData>;
  readonly calls: CallWatch;
  readonly loop: LoopWatch;
  /** What went wrong in any request so far. */
  readonly violations: string[] = [];
  /** How often the application heard which error of its store. */
  readonly storeErrors: Map<SessionErrorCode, number> = new Map();
  /** Things that were broken otherwise than by the network. */
  otherFaults = 0;
  readonly #escapes: Escapes;
  readonly #through: ConnectedStore;
  readonly #past: ConnectedStore;
  readonly #app: WebApp;
  readonly #client: Client;
  #people = 0;

  private constructor(parts: {
    target: Target;
    network: Network;
    escapes: Escapes;
    through: ConnectedStore;
    past: ConnectedStore;
    calls: CallWatch;
    manager: SessionManager<FaultData>;
    app: WebApp;
  }) {
    const { target, network, escapes, through, past, calls, manager, app } = parts;
    this.target = target;
    this.network = network;
    this.manager = manager;
    this.calls = calls;
    this.#escapes = escapes;
    this.#through = through;
    this.#past = past;
    this.#app = app;
    this.witness = new SessionManager({ store: past.store, storeTimeout: "10s" });
    this.#client = new Client(LONGEST_WAIT, app.origin);
    this.loop = new LoopWatch();
    manager.on("store-error", ({ error }) => {
      this.storeErrors.set(error.code, (this.storeErrors.get(error.code) ?? 0) + 1);
    });
  }

  static async open<Target extends FaultTarget>(
    harness: FaultHarness<Target>,
  ): Promise<FaultBench<Target>> {
    const escapes = new Escapes();
    const target = await harness.open();
    const network = await Network.open(target.ports);
    const through = await target.connect(network.ports);
    const past = await target.connect(target.ports);
    const calls = new CallWatch();
    const manager = new SessionManager<FaultData>({
      store: watched(through.store, calls),
      storeTimeout: DEADLINE,
      flushInterval: 100,
      skip: isPublic,
      ...harness.config,
    });
    const app = await WebApp.listen(manager);
    return new FaultBench({ target, network, escapes, through, past, calls, manager, app });
  }

  /** How often something was broken. */
  get faults(): number {
    return this.network.faults + this.otherFaults;
  }

  /** The store that is tested, and a call whose caller waits for as long as it takes. */
  get store(): SessionStore {
    return this.#through.store;
  }

  get past(): SessionStore {
    return this.#past.store;
  }

  /** A call that gives up after this many milliseconds. */
  call(milliseconds: number = LONGEST_WAIT): StoreCall {
    return { signal: AbortSignal.timeout(milliseconds) };
  }

  /** So many people with sessions; every second one is signed in. */
  async people(count: number): Promise<[Person, ...Person[]]> {
    const first = await this.person();
    const others: Person[] = [];
    while (others.length < count - 1) others.push(await this.person());
    return [first, ...others];
  }

  /** Somebody whose session was made past the network, where nothing is broken. */
  async person(): Promise<Person> {
    this.#people += 1;
    const own = `person ${this.#people}`;
    const userId = this.#people % 2 === 0 ? `user ${this.#people}` : undefined;
    const init = { metadata: { own, n: 0 }, ...(userId === undefined ? {} : { userId }) };
    // Where the server itself was away, the way past the network needs a moment as well.
    const { session, token } = await eventually(LONGEST_WAIT, () => this.witness.create(init));
    return { id: session.id, own, userId, cookie: `kyb_session_id=${token}` };
  }

  /** One request over HTTP. What is wrong with the answer is noted in `violations`. */
  async ask(person: Person, path = "/me"): Promise<Reply> {
    const reply = await this.fetch(path, person.cookie);
    const wrong = wrongIn(reply, person);
    if (wrong !== undefined) this.violations.push(`${path}: ${wrong}`);
    return reply;
  }

  /** One request over HTTP, from anybody. */
  async fetch(path: string, cookie?: string): Promise<Reply> {
    const sentAt = performance.now();
    const stolen = this.loop.stolen();
    const headers = cookie === undefined ? {} : { cookie };
    const answer = await this.#client.ask(path, { headers, method: "GET" });
    const duration = performance.now() - sentAt - (this.loop.stolen() - stolen);
    const { status, setCookies } = answer;
    const isJson = answer.get("content-type")?.startsWith("application/json") === true;
    const body = isJson ? answer.json<Served & { code?: SessionErrorCode }>() : undefined;
    const retryAfter = answer.get("retry-after");
    const served = status === 200 ? body : undefined;
    return { status, served, code: body?.code, setCookies, retryAfter, duration, sentAt };
  }

  /** Everybody asks again and again, each with a little pause, until the time is up. */
  async crowd(
    people: readonly Person[],
    milliseconds: number,
    visit: (person: Person) => Promise<Reply> = (person) => this.ask(person),
  ): Promise<Reply[]> {
    const stopAt = performance.now() + milliseconds;
    const replies: Reply[] = [];
    await Promise.all(
      people.map(async (person) => {
        while (performance.now() < stopAt) {
          replies.push(await visit(person));
          await this.breathe();
        }
      }),
    );
    return replies;
  }

  /** Requests that read and requests that write are served again, soon after the fault that ended now. */
  async recovers(person: Person): Promise<void> {
    await this.soon("requests are served again", async () => {
      for (const path of ["/me", "/add"]) {
        const { status, code } = await this.ask(person, path);
        expect(`${status} ${code ?? ""}`.trim()).toBe("200");
      }
    });
  }

  /** Repeats a check until it passes, for as long as a recovery may take. */
  async soon(what: string, check: () => Promise<void>): Promise<void> {
    const endedAt = performance.now();
    const stolen = this.loop.stolen();
    await eventually(LONGEST_WAIT, async () => {
      await pause(5);
      await check();
    });
    const duration = performance.now() - endedAt - (this.loop.stolen() - stolen);
    expect(duration, `milliseconds until ${what}`).toBeLessThan(RECOVERY);
  }

  /** Waits until something is so, for what may or may not happen: at most so many milliseconds. */
  async until(check: () => boolean, atMost: number): Promise<void> {
    const stopAt = performance.now() + atMost;
    while (!check() && performance.now() < stopAt) await pause(1);
  }

  /** What a client does between two requests, so that clients and server in one process leave each other room. */
  async breathe(): Promise<void> {
    await pause(10);
  }

  /** Nothing was wrong in any request, and nothing escaped. */
  verdict(): void {
    expect(this.violations.slice(0, 5), "requests that went wrong").toEqual([]);
    expect(this.#escapes.caught.slice(0, 5), "what nobody handled").toEqual([]);
  }

  async close(): Promise<void> {
    this.network.mend();
    try {
      await this.network.listen();
      this.#client.close();
      await this.#app.close();
      await this.manager.close();
      await this.witness.close();
      for (const { store, close } of [this.#through, this.#past]) {
        await store.close();
        await close?.();
      }
      await this.network.close();
      await this.target.close?.();
    } finally {
      this.loop.stop();
      this.#escapes.stop();
    }
  }
}

/** The duration that 99 of 100 replies do not exceed. */
export function p99(replies: readonly Reply[]): number {
  const durations = replies.map(({ duration }) => duration).sort((left, right) => left - right);
  return durations[Math.ceil(durations.length * 0.99) - 1] ?? 0;
}
