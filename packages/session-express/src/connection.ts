import type { ConnectionInfo } from "@kyb/session-core";
import { connectionOf } from "@kyb/session-node";
import type { Request } from "express";

/** How the other end is found out. */
export interface ConnectionOptions {
  /** Default: as Express does if the application has set `trust proxy`, else the socket says so. */
  connection?: (req: Request) => ConnectionInfo;
}

/** The option as the host-neutral middleware takes it; Express calls that with requests of its own alone. */
export function expressConnection(options: ConnectionOptions): (req: object) => ConnectionInfo {
  const { connection = expressConnectionOf } = options;
  return (req) => connection(req as Request);
}

/**
 * Who is at the other end, as Express knows it: by `req.ip` and `req.secure` if the application has set `trust proxy`,
 * else by the socket, to which the manager's `trustProxy` then applies. Set one of the two, not both.
 */
function expressConnectionOf(req: Request): ConnectionInfo {
  const trusts: unknown = req.app.get("trust proxy");
  if (trusts === undefined || trusts === false || trusts === 0 || trusts === "") {
    return connectionOf(req);
  }
  return { remoteAddress: req.ip ?? "", encrypted: req.secure };
}
