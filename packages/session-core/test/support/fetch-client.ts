import type { ActivityEntry } from "../../src/activity/entry.ts";
import type { SessionConfig } from "../../src/config.ts";
import type { Session } from "../../src/session.ts";
import type { Bag } from "./browser.ts";
import { World } from "./world.ts";

export type Handler = (request: Request, session: Session<Bag>) => Response | Promise<Response>;

/** A client of a wrapped handler: sends requests and keeps the cookie. */
export class Client {
  readonly world: World;
  #cookie = "";

  constructor(config: SessionConfig<Bag> = {}) {
    this.world = new World(config);
  }

  get cookie(): string {
    return this.#cookie;
  }

  async send(handler: Handler, path = "/", init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#cookie !== "") headers.set("cookie", this.#cookie);
    const request = new Request(`https://shop.example${path}`, { ...init, headers });
    const response = await this.world.manager.wrap(handler)(request);
    for (const value of response.headers.getSetCookie()) {
      if (value.startsWith("__Host-")) this.#cookie = value.split(";")[0] ?? "";
    }
    return response;
  }

  /** The latest line of the timeline. */
  async entry(): Promise<ActivityEntry | undefined> {
    const id = /=([\w-]{32})\./.exec(this.#cookie)?.[1] ?? "";
    return (await this.world.manager.activity(id)).items[0];
  }
}
