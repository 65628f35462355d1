import type { SessionConfig } from "../../src/config.ts";
import type { SessionEventName, SessionEvents } from "../../src/events.ts";
import { SessionManager } from "../../src/manager.ts";
import { memoryStore } from "../../src/memory/memory-store.ts";
import type { SessionStore } from "../../src/store.ts";
import { type Bag, Browser, type BrowserOptions } from "./browser.ts";
import { ManualClock } from "./clock.ts";

type Happening = {
  [Name in SessionEventName]: { readonly name: Name; readonly event: SessionEvents[Name] };
}[SessionEventName];

const EVENTS: readonly SessionEventName[] = [
  "created",
  "signed-in",
  "regenerated",
  "ended",
  "reused",
  "superseded",
  "lost-write",
  "unknown-token",
  "withheld",
  "limit",
  "store-error",
  "tracking-dropped",
  "config-warning",
];

/** One application: a manager on a clock that the test moves, and everything that it announced. */
export class World {
  readonly clock = new ManualClock();
  readonly store: SessionStore;
  readonly manager: SessionManager<Bag>;
  readonly happenings: Happening[] = [];

  constructor(config: SessionConfig<Bag> = {}) {
    this.store = config.store ?? memoryStore();
    this.manager = new SessionManager<Bag>({ clock: this.clock, ...config, store: this.store });
    for (const name of EVENTS) {
      this.manager.on(name, (event) => {
        this.happenings.push({ name, event } as Happening);
      });
    }
  }

  browser(options: BrowserOptions = {}): Browser {
    return new Browser(this.manager, options);
  }

  /** A browser whose user has signed in and sent the cookie back. */
  async signedIn(userId: string, options: BrowserOptions = {}): Promise<Browser> {
    const browser = this.browser(options);
    await browser.request((session) => session.signIn(userId));
    return browser;
  }

  /** The payloads of one kind of event so far. */
  events<Name extends SessionEventName>(name: Name): SessionEvents[Name][] {
    return this.happenings.flatMap((happening) =>
      happening.name === name ? [happening.event as SessionEvents[Name]] : [],
    );
  }
}

/** The error that a promise or a function fails with. */
export async function failureOf(action: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof action === "function" ? action() : action);
  } catch (error) {
    return error;
  }
  throw new Error("It was expected to fail, and it did not.");
}
