import { startPostgres, startRedis } from "@kyb/session-testkit/servers";
import { serveParent } from "../method/serve-parent.ts";

/** Starts throw-away servers; in a process of its own, because the bench itself runs without any build of the packages. */
let stop: () => Promise<void> = async () => undefined;

/** Where a server is. */
export interface Place {
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
}

serveParent({ redis, postgres, command, stop: () => stop() });

let redisCommand: (...args: string[]) => Promise<unknown> = () =>
  Promise.reject(new Error("There is no Redis."));

async function redis(): Promise<Place> {
  const server = await startRedis();
  stop = () => server.stop();
  redisCommand = (...args) => server.command(...args);
  const { url, port, pid } = server;
  return { url, port, pid };
}

/** As a production server: everything is synced to the disk. */
async function postgres(): Promise<Place> {
  const settings = {
    fsync: "on",
    full_page_writes: "on",
    shared_buffers: "512MB",
    max_wal_size: "4GB",
  };
  const server = await startPostgres({ settings });
  stop = () => server.stop();
  const { url, port, pid } = server;
  return { url, port, pid };
}

function command(args: string[]): Promise<unknown> {
  return redisCommand(...args);
}
