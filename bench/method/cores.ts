/** The core of the server that is measured; nothing else is pinned to it. */
export const SERVER_CORE = 0;
/** The core of the load generator, and of Redis or Postgres where they take part. */
export const LOAD_CORE = 1;
