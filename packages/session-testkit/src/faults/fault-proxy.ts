import { connect, createServer, type Server, type Socket } from "node:net";
import { seededRandom } from "../store/random.ts";
import { FaultyPipe } from "./faulty-pipe.ts";
import type { ActiveFault, NetworkFault } from "./network-fault.ts";

/** One connection of a client, and its continuation to the server. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * A network that can be broken: listens on a port of 127.0.0.1 and passes everything on to another one. One fault at a
 * time is on, for all connections, those that are open and those to come.
 */
export class FaultProxy {
  readonly #upstream: number;
  readonly #links = new Set<Link>();
  readonly #random = seededRandom(1);
  #server: Server | undefined;
  #port = 0;
  #active: (ActiveFault & { readonly end: () => void }) | undefined;
  #accepted = 0;
  #harmed = 0;

  private constructor(upstream: number) {
    this.#upstream = upstream;
  }

  /** Listens on a free port, for a server on the port `upstream` of 127.0.0.1. */
  static async open(upstream: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await proxy.listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Connections that were ever made. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How often a fault has reached something: a piece of data that it held up or changed, a connection that it ended. */
  get harmed(): number {
    return this.#harmed;
  }

  /** From now on this is what happens; `undefined`: everything passes, also what was held up. */
  become(fault: NetworkFault | undefined): void {
    this.#active?.end();
    this.#active = undefined;
    if (fault === undefined) return;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#active = { fault, over, end };
  }

  /** Resets every connection that is open. */
  reset(): void {
    for (const { client, server } of this.#links) {
      this.#harmed += 1;
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Nobody is there any more: connections are reset, new ones are refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    this.reset();
    await closed;
  }

  /** Somebody is there again, on the same port. */
  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => resolve());
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
    this.#port = address.port;
    this.#server = server;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.stop();
    this.become(undefined);
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const server = connect({ port: this.#upstream, host: "127.0.0.1", allowHalfOpen: true });
    const link: Link = { client, server };
    this.#links.add(link);
    const pipe = {
      active: () => this.#active,
      random: () => this.#random.next(),
      harm: () => {
        this.#harmed += 1;
      },
    };
    new FaultyPipe({ ...pipe, from: client, to: server, isReply: false });
    new FaultyPipe({ ...pipe, from: server, to: client, isReply: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      // The end of one side by force is the end of the other.
      socket.on("error", () => other.resetAndDestroy());
      socket.on("close", () => {
        if (other.destroyed) this.#links.delete(link);
      });
    }
    // Who has gone for good reads nothing more; the other side is told by an orderly end.
    client.on("close", () => server.end());
  }
}
