import type { FaultHarness, FaultTarget, StoreFault } from "../../src/faults/index.ts";
import { RemoteServer, type Trouble } from "./remote-server.ts";
import { type Pass, RemoteConnection, remoteStore } from "./remote-store.ts";

export interface RemoteTarget extends FaultTarget {
  readonly server: RemoteServer;
}

/** What a twin does otherwise. */
export interface RemoteParts {
  readonly connection?: (port: number) => RemoteConnection;
  readonly pass?: Pass;
  readonly config?: FaultHarness["config"];
  readonly server?: () => RemoteServer;
}

/** The reference store behind a server of its own: what the fault suite is proven with. */
export function remoteHarness({
  connection = (port) => new RemoteConnection(port),
  pass,
  config,
  server: makeServer = () => new RemoteServer(),
}: RemoteParts = {}): FaultHarness<RemoteTarget> {
  return {
    ...(config === undefined ? {} : { config }),
    async open() {
      const server = makeServer();
      await server.listen();
      const { port } = server;
      return {
        server,
        ports: [port],
        // Only what goes through the network is the twin's: the look past it tells the truth.
        connect: ([via = port]) => ({
          store:
            via === port
              ? remoteStore(new RemoteConnection(port))
              : remoteStore(connection(via), pass),
        }),
        close: () => server.kill(),
      };
    },
    crash: {
      isDurable: true,
      kill: ({ server }) => server.kill(),
      async restart({ server }, how) {
        if (how === "empty") server.empty();
        await server.listen();
      },
    },
    faults: [
      trouble("is full", "full", { read: "works", write: "STORE_FULL" }),
      trouble("is read-only", "read-only", { read: "works", write: "STORE_UNAVAILABLE" }),
      trouble("is loading", "loading", { read: "STORE_UNAVAILABLE", write: "STORE_UNAVAILABLE" }),
      trouble("has another password now", "locked", {
        read: "STORE_MISCONFIGURED",
        write: "STORE_MISCONFIGURED",
      }),
    ],
  };
}

function trouble(
  name: string,
  kind: Trouble,
  expects: StoreFault["expects"],
): StoreFault<RemoteTarget> {
  return {
    name,
    expects,
    begin: ({ server }) => {
      server.trouble = kind;
    },
    end: ({ server }) => {
      server.trouble = undefined;
    },
  };
}
