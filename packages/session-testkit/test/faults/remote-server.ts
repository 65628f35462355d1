import { createServer, type Server, type Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import type { StoreCall } from "@kyb/session-core/store";
import { isSessionError, SessionError, type SessionErrorCode } from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";

/** What goes over the wire, one line each. */
export interface Question {
  readonly number: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: { readonly code: SessionErrorCode; readonly message: string };
}

/** One line: undefined, infinities and all survive, as they would not in JSON. */
export function toLine(message: Question | Answer): string {
  return `${serialize(message).toString("base64")}\n`;
}

/** Cuts what arrives into lines; throws where one means nothing. */
export class Lines<Message> {
  #rest = "";

  read(bytes: Buffer): Message[] {
    const lines = (this.#rest + bytes.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => {
      if (!/^[\w+/]+=*$/.test(line)) throw new Error("This is not a message.");
      return deserialize(Buffer.from(line, "base64")) as Message;
    });
  }
}

const WRITES: ReadonlySet<string> = new Set(["create", "commit", "track", "end", "endUser"]);

/** What can be the matter with it. */
export type Trouble = "full" | "read-only" | "loading" | "locked";

/** The reference store as a server: one process's store that others reach over TCP. */
export class RemoteServer {
  store: ReferenceStore;
  trouble: Trouble | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #call: StoreCall = { signal: new AbortController().signal };
  #port = 0;

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
    this.store = this.#attached();
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Everybody is cut off and nobody listens any more. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Forgets everything. */
  empty(): void {
    this.store = this.#attached();
  }

  makeStore(): ReferenceStore {
    return new ReferenceStore();
  }

  #attached(): ReferenceStore {
    const store = this.makeStore();
    store.attach({
      now: Date.now,
      activityLimit: 100,
      activityBytes: 1_000_000,
      activityRetention: undefined,
      endedRetention: 3_600_000,
      maxEnded: undefined,
      metrics: true,
    });
    return store;
  }

  #serve(socket: Socket): void {
    const lines = new Lines<Question>();
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (bytes) => {
      for (const question of lines.read(bytes)) void this.#answer(question, socket);
    });
  }

  async #answer({ number, method, args }: Question, socket: Socket): Promise<void> {
    const answer = await this.#work(method, args);
    if (socket.writable) socket.write(toLine({ number, ...answer }));
  }

  async #work(method: string, args: readonly unknown[]): Promise<Omit<Answer, "number">> {
    try {
      this.#refuse(method);
      const run: unknown = Reflect.get(this.store, method);
      if (typeof run !== "function") throw new Error(`There is no ${method}.`);
      return { result: await Reflect.apply(run, this.store, [...args, this.#call]) };
    } catch (error) {
      if (!isSessionError(error)) throw error;
      return { error: { code: error.code, message: error.message } };
    }
  }

  #refuse(method: string): void {
    const { trouble } = this;
    if (trouble === "locked") throw new SessionError("STORE_MISCONFIGURED", "Wrong password.");
    if (trouble === "loading") throw new SessionError("STORE_UNAVAILABLE", "Still loading.");
    if (trouble === undefined || !WRITES.has(method)) return;
    if (trouble === "full") throw new SessionError("STORE_FULL", "There is no room.");
    throw new SessionError("STORE_UNAVAILABLE", "Only for reading.");
  }
}
