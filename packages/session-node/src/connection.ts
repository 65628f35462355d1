import type { IncomingMessage } from "node:http";
import type { ConnectionInfo } from "@kyb/session-core";

/** The other end of the socket, which may be a proxy, and whether it is a TLS socket. No header is believed here. */
export function connectionOf(req: IncomingMessage): ConnectionInfo {
  const { socket } = req;
  return {
    // Undefined for a Unix socket, and once the client has left.
    remoteAddress: socket.remoteAddress ?? "",
    encrypted: "encrypted" in socket && socket.encrypted === true,
  };
}
