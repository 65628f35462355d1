import type { ConnectionInfo } from "@kyb/session-core";

/** What Hono's Node server knows of a request, as far as it is used here. */
export interface NodeIncoming {
  readonly socket?: { readonly remoteAddress?: string; readonly encrypted?: boolean };
}

/** The part of a `ServerResponse`, of HTTP/1 and HTTP/2 alike, that a response is followed through. */
export interface NodeOutgoing {
  readonly headersSent: boolean;
  readonly statusCode: number;
  readonly writableEnded: boolean;
  readonly destroyed: boolean;
  writeHead: Write;
  write: Write;
  end: Write;
  getHeader(name: string): unknown;
  setHeader(name: string, value: unknown): unknown;
  on(event: "close", listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

type Write = (...values: unknown[]) => unknown;

/**
 * The request as Hono's Node server received it. The server hands it over in `c.env`, where other hosts have bindings of
 * any name, so its shape decides; nothing of Node is imported.
 */
export function incomingOf(env: unknown): NodeIncoming | undefined {
  const incoming = isObject(env) ? env.incoming : undefined;
  return isObject(incoming) && isObject(incoming.socket) ? incoming : undefined;
}

/** The response that Hono's Node server will write; a WebSocket has none. */
export function outgoingOf(env: unknown): NodeOutgoing | undefined {
  const outgoing = isObject(env) ? env.outgoing : undefined;
  if (!isObject(outgoing) || typeof outgoing.writeHead !== "function") return undefined;
  return outgoing as unknown as NodeOutgoing;
}

/** The peer, and whether it speaks TLS. */
export function nodeConnection({ socket }: NodeIncoming): ConnectionInfo {
  const encrypted = socket?.encrypted === true;
  const remoteAddress = socket?.remoteAddress;
  return remoteAddress === undefined ? { encrypted } : { encrypted, remoteAddress };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
