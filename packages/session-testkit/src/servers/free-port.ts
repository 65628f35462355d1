import { createServer } from "node:net";

/**
 * Below the ports that systems give to outgoing connections (32768 on Linux, 49152 elsewhere), and so are the bus ports
 * of a cluster, 10,000 above: while a server is down nothing else takes its port by accident.
 */
const LOWEST = 10_240;
const COUNT = 12_000;
const BUS_OFFSET = 10_000;

/** A port of 127.0.0.1 that is free now, as is the port 10,000 above it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
  throw new Error("There is no free port on 127.0.0.1.");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
