import { connect, type Socket } from "node:net";

/** What Redis answers, as RESP2 has it. */
export type RespReply = string | number | null | readonly RespReply[];

/** Redis answered with an error, or not at all. */
export class RespError extends Error {
  override readonly name = "RespError";
}

interface Waiting {
  readonly resolve: (reply: RespReply) => void;
  readonly reject: (error: Error) => void;
}

/** The smallest Redis client that gives orders to a server in tests: RESP2, one connection, no retries. */
export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new RespError("The connection to Redis was closed.")));
  }

  static open(port: number): Promise<RespConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      socket.unref();
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RespConnection(socket));
      });
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Rejects with a {@link RespError} when Redis answers with an error, and with what the socket says. */
  send(...args: readonly (string | number)[]): Promise<RespReply> {
    if (!this.isOpen) return Promise.reject(new RespError("The connection to Redis is closed."));
    const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      // What waits for an answer keeps the process alive, an idle connection does not.
      this.#socket.ref();
      this.#socket.write(`*${args.length}\r\n${parts.join("")}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const parsed = parseReply(this.#received, 0);
      if (parsed === undefined) return;
      this.#received = this.#received.subarray(parsed.end);
      const waiting = this.#waiting.shift();
      if (parsed.reply instanceof RespError) waiting?.reject(parsed.reply);
      else waiting?.resolve(parsed.reply);
      if (this.#waiting.length === 0) this.#socket.unref();
    }
  }
}

interface Parsed {
  readonly reply: RespReply | RespError;
  readonly end: number;
}

/** One reply that begins at `start`; undefined: it is not complete yet. */
function parseReply(bytes: Buffer, start: number): Parsed | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd === -1) return undefined;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (kind) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new RespError(line), end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return parseBulk(bytes, Number(line), end);
    case "*":
      return parseArray(bytes, Number(line), end);
    default:
      throw new RespError(`This is not RESP2: ${kind}${line}`);
  }
}

function parseBulk(bytes: Buffer, length: number, start: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start };
  const end = start + length;
  if (bytes.length < end + 2) return undefined;
  return { reply: bytes.toString("utf8", start, end), end: end + 2 };
}

function parseArray(bytes: Buffer, length: number, start: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: start };
  const items: RespReply[] = [];
  let end = start;
  for (let index = 0; index < length; index++) {
    const item = parseReply(bytes, end);
    if (item === undefined) return undefined;
    // An error within an array is text enough for a test.
    items.push(item.reply instanceof RespError ? item.reply.message : item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
