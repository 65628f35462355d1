/** What a network can do to the connections that pass it. All but the first two are done to answers. */
export type NetworkFault =
  /** Every answer comes this much later, and up to `jitter` on top; milliseconds. */
  | { readonly kind: "latency"; readonly milliseconds: number; readonly jitter: number }
  /** Connections stay open and can be made, and nothing passes, in no direction. */
  | { readonly kind: "black hole" }
  /** One byte at a time, each in a turn of its own. */
  | { readonly kind: "trickle" }
  /** Half of the answer, then a reset. */
  | { readonly kind: "reset mid-reply" }
  /** Half of the answer, then an orderly end. */
  | { readonly kind: "truncate" }
  /** The server has done its work, its answer does not arrive, and the connection is reset. */
  | { readonly kind: "swallow" }
  /** So many bytes of answers in all, then a reset. */
  | { readonly kind: "cut"; readonly bytes: number }
  /** Bytes that mean nothing come before the answer. */
  | { readonly kind: "corrupt" }
  /** After this answer the server's side is closed, the client's stays open. */
  | { readonly kind: "half-close" };

/** A fault that is on, and how to learn that it is over. */
export interface ActiveFault {
  readonly fault: NetworkFault;
  readonly over: Promise<void>;
}
