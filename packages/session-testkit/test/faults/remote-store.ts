import { connect, type Socket } from "node:net";
import type { SessionStore, StoreCall, StoreCapabilities } from "@kyb/session-core/store";
import { SessionError } from "@kyb/session-core/store";
import { type Answer, Lines, toLine } from "./remote-server.ts";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The connection of a remote store as plainly as it can be done well: made when it is needed, never used again after
 * anything was wrong with it, and every question is answered or fails. Each step is a method, so that a broken twin
 * differs in one.
 */
export class RemoteConnection {
  readonly waiting: Map<number, Waiting> = new Map();
  readonly #port: number;
  socket: Socket | undefined;
  #questions = 0;

  constructor(port: number) {
    this.#port = port;
  }

  ask(method: string, args: readonly unknown[], { signal }: StoreCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = this.open();
      const number = this.#questions++;
      const settle = <Value>(how: (value: Value) => void): ((value: Value) => void) => {
        return (value) => {
          signal.removeEventListener("abort", giveUp);
          this.waiting.delete(number);
          how(value);
        };
      };
      const fail = settle(reject);
      const giveUp = (): void => fail(unavailable("nobody waits any more"));
      signal.addEventListener("abort", giveUp, { once: true });
      this.waiting.set(number, { resolve: settle(resolve), reject: fail });
      socket.write(toLine({ number, method, args }));
    });
  }

  open(): Socket {
    if (this.socket !== undefined) return this.socket;
    const socket = connect(this.#port, "127.0.0.1");
    const lines = this.lines();
    socket.setNoDelay(true);
    socket.unref();
    socket.on("data", (bytes) => {
      try {
        for (const answer of lines.read(bytes)) this.answered(answer);
      } catch {
        this.unreadable(socket);
      }
    });
    socket.on("error", () => this.lost(socket));
    socket.on("end", () => this.lost(socket));
    socket.on("close", () => this.lost(socket));
    this.socket = socket;
    return socket;
  }

  lines(): Lines<Answer> {
    return new Lines();
  }

  answered({ number, result, error }: Answer): void {
    const waiting = this.waiting.get(number);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new SessionError(error.code, error.message));
  }

  /** What could not be read once cannot be trusted afterwards. */
  unreadable(socket: Socket): void {
    socket.destroy();
  }

  lost(socket: Socket): void {
    socket.destroy();
    if (this.socket !== socket) return;
    this.socket = undefined;
    for (const { reject } of [...this.waiting.values()]) reject(unavailable("connection lost"));
  }

  close(): void {
    this.socket?.destroy();
  }
}

const CAPABILITIES: StoreCapabilities = {
  name: "remote",
  durable: true,
  shared: true,
  atomic: true,
  userIndex: true,
  immediate: false,
  sweepInterval: undefined,
};

/** Passes a call on; a broken twin may do something else. */
export type Pass = (
  method: string,
  args: readonly unknown[],
  call: StoreCall,
  ask: (method: string, args: readonly unknown[]) => Promise<unknown>,
) => Promise<unknown>;

/** A store on the other side of a connection. */
export function remoteStore(
  connection: RemoteConnection,
  pass: Pass = (method, args, _, ask) => ask(method, args),
): SessionStore {
  const own: Partial<SessionStore> = {
    capabilities: CAPABILITIES,
    attach: () => undefined,
    subscribe: () => () => undefined,
    close: () => connection.close(),
  };
  return new Proxy(own as SessionStore, {
    get(target, property) {
      if (property in target || typeof property === "symbol") return Reflect.get(target, property);
      if (property === "clockOffset" || property === "then") return undefined;
      return (...all: readonly unknown[]): Promise<unknown> => {
        const call = all.at(-1) as StoreCall;
        const ask = (method: string, args: readonly unknown[]) =>
          connection.ask(method, args, call);
        return pass(property, all.slice(0, -1), call, ask);
      };
    },
  });
}

function unavailable(why: string): SessionError {
  return new SessionError("STORE_UNAVAILABLE", `The remote store did not answer: ${why}.`);
}
