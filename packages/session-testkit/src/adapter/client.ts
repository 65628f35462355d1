import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { deferred } from "./deferred.ts";
import { type Patience, within } from "./patience.ts";

/** What is sent. */
export interface Ask {
  /** Default `GET`, or `POST` where there is a body. */
  readonly method?: string;
  /** A list is sent as several header lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** What came back is not what anybody could have meant. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";
}

/** What came back, as it was on the wire. */
export class Answer {
  readonly status: number;
  /** Every header line by itself, in order; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Empty as long as only the head is there. */
  readonly text: string;
  /** Bytes of the body, without the framing. */
  readonly size: number;

  constructor(message: IncomingMessage, body: Uint8Array = new Uint8Array()) {
    const { rawHeaders, statusCode = 0 } = message;
    this.status = statusCode;
    this.headers = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ""] as const] : [],
    );
    this.text = new TextDecoder().decode(body);
    this.size = body.byteLength;
  }

  /** The values of all lines of one header, not joined. */
  all(name: string): string[] {
    return this.headers.filter(([key]) => key === name).map(([, value]) => value);
  }

  /** The lines of one header as one, as the Fetch standard has it. */
  get(name: string): string | undefined {
    const values = this.all(name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  get setCookies(): string[] {
    return this.all("set-cookie");
  }

  json<Value>(): Value {
    try {
      return JSON.parse(this.text) as Value;
    } catch (cause) {
      throw new UnexpectedAnswer(`${this.status} with what is no JSON: ${this.text}`, { cause });
    }
  }
}

/** One request on its way. */
export class Exchange {
  readonly #patience: Patience;
  readonly #request: ClientRequest;
  readonly #chunks: Uint8Array[] = [];
  readonly #done: Promise<Answer | Error>;
  #message: IncomingMessage | undefined;
  #progress = deferred();
  #isOver = false;

  constructor(patience: Patience, origin: string, path: string, ask: Ask, agent: Agent) {
    this.#patience = patience;
    const { method = ask.body === undefined ? "GET" : "POST", headers = {}, body } = ask;
    const { hostname, port, host } = new URL(origin);
    // As a list, because Node makes one line of several cookies otherwise.
    const lines = ["Host", host, "Connection", "keep-alive"];
    for (const [name, value] of Object.entries(headers)) {
      for (const each of [value].flat()) lines.push(name, each);
    }
    if (body !== undefined) lines.push("Content-Length", String(Buffer.byteLength(body)));
    this.#request = request({ agent, host: hostname, port, method, path, headers: lines });
    this.#done = new Promise((resolve) => {
      const finish = (outcome: Answer | Error): void => {
        this.#isOver = true;
        resolve(outcome);
        this.#advance();
      };
      this.#request.on("error", finish);
      this.#request.on("response", (message) => {
        this.#message = message;
        this.#advance();
        message.on("data", (chunk: Uint8Array) => {
          this.#chunks.push(chunk);
          this.#advance();
        });
        message.on("error", finish);
        message.on("end", () => finish(new Answer(message, Buffer.concat(this.#chunks))));
      });
    });
    this.#request.end(body);
  }

  /** Waits for the head of the response. */
  async head(): Promise<Answer> {
    await this.#until(() => this.#message !== undefined, "the head has not come");
    if (this.#message === undefined) throw new UnexpectedAnswer("There was no response.");
    return new Answer(this.#message);
  }

  /** Waits until this part of the body has come. */
  async received(part: string): Promise<void> {
    await this.#until(() => this.#text.includes(part), `"${part}" has not come`);
    if (this.#text.includes(part)) return;
    throw new UnexpectedAnswer(`The response ended without "${part}", but with "${this.#text}".`);
  }

  /** Waits for the whole response; rejects where it breaks off. */
  async answer(): Promise<Answer> {
    const outcome = await this.#outcome();
    if (!(outcome instanceof Error)) return outcome;
    const { method, path } = this.#request;
    throw new UnexpectedAnswer(`${method} ${path} broke off: ${outcome.message}`, {
      cause: outcome,
    });
  }

  /** Waits for the end and answers whether the response broke off before it was complete. */
  async isCutOff(): Promise<boolean> {
    return (await this.#outcome()) instanceof Error;
  }

  /** Whether the response has come to its end, one way or the other. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Leaves, as a browser does whose user has closed the page. */
  abort(): void {
    this.#request.destroy();
  }

  get #text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  #outcome(): Promise<Answer | Error> {
    return within(
      this.#patience,
      this.#done,
      () =>
        `${this.#request.method} ${this.#request.path} has no complete response, but "${this.#text}"`,
    );
  }

  #advance(): void {
    this.#progress.resolve();
    this.#progress = deferred();
  }

  async #until(isThere: () => boolean, missing: string): Promise<void> {
    while (!isThere() && !this.#isOver) {
      await within(this.#patience, this.#progress.promise, () => missing);
    }
  }
}

/** A client of its own, with connections of its own that are kept alive. */
export class Client {
  readonly #patience: Patience;
  readonly #origin: string;
  readonly #agent: Agent;

  /** `connections`: how many it opens at most; with one, everything it sends goes the same way. */
  constructor(patience: Patience, origin: string, connections: number = Number.POSITIVE_INFINITY) {
    this.#patience = patience;
    this.#origin = origin;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends a request and does not wait. */
  send(path: string, ask: Ask = {}): Exchange {
    return new Exchange(this.#patience, this.#origin, path, ask, this.#agent);
  }

  /** Sends a request and waits for the whole response. */
  ask(path: string, ask: Ask = {}): Promise<Answer> {
    return this.send(path, ask).answer();
  }

  close(): void {
    this.#agent.destroy();
  }
}
