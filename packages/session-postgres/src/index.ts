export type { PostgresPool } from "./connection.ts";
export type { PostgresListener, PostgresStoreOptions } from "./options.ts";
export { type PostgresStore, postgresStore } from "./postgres-store.ts";
