import { hasPostgres, postgresUser } from "./postgres.ts";
import { redisProgram } from "./redis-node.ts";

/** The servers that tests can start. */
export type ServerKind = "redis" | "redis-cluster" | "redis-sentinel" | "postgres";

/** Why a server cannot be started on this machine and how to install it; undefined: it can. */
export function missingServer(kind: ServerKind): string | undefined {
  return kind === "postgres" ? missingPostgres() : missingRedis();
}

function missingRedis(): string | undefined {
  if (redisProgram() !== undefined) return undefined;
  return "redis-server is not installed (apt-get install redis-server; brew install redis)";
}

function missingPostgres(): string | undefined {
  if (!hasPostgres()) {
    return "PostgreSQL is not installed (apt-get install postgresql; brew install postgresql)";
  }
  if (process.getuid?.() === 0 && postgresUser() === undefined) {
    return "PostgreSQL refuses to run as root, and this machine has no user postgres (useradd --system postgres)";
  }
  return undefined;
}
