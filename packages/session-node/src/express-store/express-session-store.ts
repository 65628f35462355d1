/** What express-session's own interface says of a session: the cookie, by which stores set its end, and anything else. */
export interface ExpressSessionData {
  readonly cookie: {
    readonly expires: Date;
    readonly originalMaxAge: number;
    /** Some stores read this one. */
    readonly maxAge: number;
  };
  readonly [key: string]: unknown;
}

type Done = (error?: unknown) => void;

/**
 * A store of express-session, as far as it is used here: connect-redis, connect-pg-simple, memorystore and their like fit.
 */
export interface ExpressSessionStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown;
  set(id: string, session: never, callback?: Done): unknown;
  destroy(id: string, callback?: Done): unknown;
  /** Without it, sessions cannot be listed. */
  all?(callback: (error: unknown, sessions?: unknown) => void): unknown;
}
