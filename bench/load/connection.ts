import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";
const LENGTH = /content-length: (\d+)/i;

/** An answer, as far as a load generator looks at it. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * One keep-alive connection with one request in flight. It reads no more of an answer than it needs to know where
 * that ends, because the generator must cost less than the server it feeds.
 */
export class Connection {
  readonly #socket: Socket;
  #text = "";
  #wanted = 0;
  #done: (text: string) => void = noop;
  #failed: (error: Error) => void = noop;

  constructor(port: number, host = "127.0.0.1") {
    this.#socket = connect({ port, host, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => this.#read(chunk));
    this.#socket.on("error", (error) => this.#failed(error));
    this.#socket.on("close", () => this.#failed(new Error("The server closed the connection.")));
  }

  /** Sends bytes that are one request; `done` hears the whole answer. */
  send(request: Uint8Array, done: (text: string) => void, failed: (error: Error) => void): void {
    this.#done = done;
    this.#failed = failed;
    this.#socket.write(request);
  }

  /** Sends one request and reads its answer in full. */
  request(path: string, cookie: string | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.send(
        formatRequest(path, cookie),
        (text) => {
          const end = text.indexOf(HEAD_END);
          resolve({
            status: Number(text.slice(9, 12)),
            head: text.slice(0, end),
            body: text.slice(end + HEAD_END.length),
          });
        },
        reject,
      );
    });
  }

  close(): void {
    this.#failed = noop;
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#text = this.#text === "" ? chunk : this.#text + chunk;
    if (this.#wanted === 0) {
      const end = this.#text.indexOf(HEAD_END);
      if (end === -1) return;
      const length = LENGTH.exec(this.#text)?.[1];
      if (length === undefined) {
        this.#failed(new Error("An answer without Content-Length."));
        return;
      }
      this.#wanted = end + HEAD_END.length + Number(length);
    }
    if (this.#text.length < this.#wanted) return;
    const text = this.#text;
    this.#text = "";
    this.#wanted = 0;
    this.#done(text);
  }
}

/** A request as a browser would send it, shortened. */
export function formatRequest(path: string, cookie: string | undefined): Uint8Array {
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: application/json",
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    "",
    "",
  ];
  return Buffer.from(lines.join("\r\n"), "latin1");
}

function noop(): void {
  // Nothing is under way.
}
