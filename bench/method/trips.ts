import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy that counts round trips: each time a client speaks after the server did. */
export class TripCounter {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #count: { trips: number };

  private constructor(server: Server, sockets: Set<Socket>, count: { trips: number }) {
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("No port.");
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
    this.#count = count;
  }

  static async before(port: number): Promise<TripCounter> {
    const count = { trips: 0 };
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect({ port, host: "127.0.0.1", noDelay: true });
      client.setNoDelay(true);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        // The other side hears of it by the end of its connection.
        socket.on("error", () => socket.destroy());
      }
      let clientSpoke = false;
      client.on("data", () => {
        if (!clientSpoke) count.trips += 1;
        clientSpoke = true;
      });
      upstream.on("data", () => {
        clientSpoke = false;
      });
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TripCounter(server, sockets, count);
  }

  /** Round trips so far. */
  get trips(): number {
    return this.#count.trips;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
