export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./database.ts";
export type { SqliteStoreOptions } from "./settings.ts";
export { sqliteStore } from "./sqlite-store.ts";
