import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { SessionManager } from "@kyb/session-core";
import { createSessions } from "./app/sessions.ts";
import { explain } from "./explain.ts";
import { CannotStart, readSettings, type Settings } from "./settings.ts";
import { type OpenStore, openStore } from "./store.ts";

/** How long requests under way may take once the program is told to stop. */
const DRAIN = 5000;

/** Each host is one thin file around the same application; only the chosen one is loaded. */
const LISTENERS: Record<Settings["framework"], () => Promise<Host>> = {
  express: () => import("./hosts/express.ts"),
  koa: () => import("./hosts/koa.ts"),
  hono: () => import("./hosts/hono.ts"),
  node: () => import("./hosts/node.ts"),
};

interface Host {
  createListener(sessions: SessionManager): RequestListener;
}

try {
  await start(readSettings(process.env));
} catch (error) {
  console.error(error instanceof CannotStart ? error.message : error);
  process.exitCode = 1;
}

async function start(settings: Settings): Promise<void> {
  const { createListener } = await LISTENERS[settings.framework]();
  const open = await openStore(settings.store);
  const sessions = createSessions(open.store);
  sessions.on("config-warning", ({ message }) => console.warn(message));
  sessions.on("store-error", ({ operation, error }) =>
    console.error(`The store failed to ${operation}: ${explain(error)}`),
  );
  const server = createServer(createListener(sessions));
  await listen(server, settings).catch(async (error: unknown) => {
    await open.close();
    throw error;
  });
  const stop = (): void => {
    shutDown(server, sessions, open).catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  };
  // A second signal ends the program at once, as without us.
  process.once("SIGINT", stop).once("SIGTERM", stop);
  console.log(welcome(addressOf(server), settings));
}

function listen(server: Server, { host, port }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("listening", resolve).once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      const sentence = isTaken
        ? `Port ${port} on ${host} is in use; choose another one with PORT.`
        : `Cannot listen on port ${port} of ${host}: ${error.message}.`;
      reject(new CannotStart(sentence, { cause: error }));
    });
    server.listen(port, host);
  });
}

/** Takes no more requests, finishes those under way, writes what is waiting. Then nothing keeps the process. */
async function shutDown(server: Server, sessions: SessionManager, open: OpenStore): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose answer is out would wait for a next request, which will not be taken.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), DRAIN);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
  await sessions.close();
  await open.close();
}

/** The address to open, also where the program listens on all of them. */
function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const isEverywhere = address === "0.0.0.0" || address === "::";
  if (isEverywhere) return `http://localhost:${port}`;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function welcome(address: string, { framework, host, store }: Settings): string {
  const isLocal = host === "localhost" || host === "::1" || host.startsWith("127.");
  const warning = isLocal
    ? ""
    : "\nWhoever reaches this address can sign in as anybody: the demo asks for no password.\n";
  const place = store.kind === "memory" ? "" : ` Its sessions are in ${store.kind}.`;
  return `The demo runs on ${framework}: ${address}${place}
${warning}
Its sessions from the command line:

  curl -X POST ${address}/v1/sessions -H 'Content-Type: application/json' -d '{"user_id": "user123", "metadata": {"role": "beta_tester"}}'
  curl ${address}/v1/sessions/current
  curl ${address}/v1/sessions/metrics
  curl '${address}/v1/sessions/activity?limit=50'

Ctrl-C stops it.`;
}
