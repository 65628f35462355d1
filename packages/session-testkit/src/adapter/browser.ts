import { type Answer, type Ask, Client, type Exchange } from "./client.ts";

/** What the route `/read` tells of a session. */
export interface Seen {
  readonly id: string;
  readonly userId: string | null;
  readonly state: string;
  readonly isNew: boolean;
  readonly ipAddress: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client that keeps cookies as a browser does, for one site. */
export class Browser extends Client {
  readonly cookies: Map<string, string> = new Map();

  /** The `Cookie` header, or undefined where it has none. */
  get cookie(): string | undefined {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    return pairs.length === 0 ? undefined : pairs.join("; ");
  }

  override send(path: string, ask: Ask = {}): Exchange {
    const { cookie } = this;
    return super.send(path, {
      ...ask,
      headers: { ...(cookie === undefined ? {} : { Cookie: cookie }), ...ask.headers },
    });
  }

  override async ask(path: string, ask: Ask = {}): Promise<Answer> {
    return this.keep(await super.ask(path, ask));
  }

  /** Takes over the cookies of an answer. */
  keep(answer: Answer): Answer {
    for (const line of answer.setCookies) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split("=");
      if (attributes.includes("Max-Age=0")) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  /** What the server says of this browser's session. */
  async read(ask: Ask = {}): Promise<Seen> {
    return (await this.ask("/read", ask)).json();
  }
}
