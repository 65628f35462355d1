import type { Names } from "../identifiers.ts";
import { commitFunctions } from "./commit.ts";
import { createFunctions } from "./create.ts";
import { endFunctions } from "./end.ts";
import { endingFunctions } from "./ending.ts";
import { importFunctions } from "./import.ts";
import { readingFunctions } from "./reading.ts";
import { sweepFunctions } from "./sweep.ts";
import { tables } from "./tables.ts";
import { trackFunctions } from "./track.ts";

/** Version of tables and functions that this program works with. It grows with every change of either. */
export const SCHEMA_VERSION = 1;

/** SQLSTATEs of our own, raised by the migration. */
export const NEWER_SCHEMA = "KYB01";
export const WRONG_ENCODING = "KYB02";

/** Everything that makes version 1 out of an empty schema, in order. */
export function statements(names: Names): readonly string[] {
  return [
    ...tables(names),
    ...endingFunctions(names),
    ...createFunctions(names),
    ...commitFunctions(names),
    ...endFunctions(names),
    ...trackFunctions(names),
    ...sweepFunctions(names),
    ...importFunctions(names),
    ...readingFunctions(names),
    `CREATE TABLE ${names.meta} (version integer NOT NULL)`,
    `INSERT INTO ${names.meta} (version) VALUES (${SCHEMA_VERSION})`,
  ];
}

/**
 * The migration as one statement, so that any connection of a pool can run it: nobody else migrates meanwhile, and
 * it happens wholly or not at all. What is there already is left as it is.
 */
export function migrationSql(names: Names): string {
  const { meta, schema, quotedSchema, lock } = names;
  return `DO $kyb_migrate$
DECLARE
  v_version integer;
BEGIN
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'the database is not encoded in UTF8' USING ERRCODE = '${WRONG_ENCODING}';
  END IF;
  PERFORM pg_advisory_xact_lock(${lock("'migrate'")});
  IF to_regnamespace('${quotedSchema}') IS NULL THEN
    CREATE SCHEMA ${quotedSchema};
  END IF;
  IF to_regclass('${meta}') IS NOT NULL THEN
    SELECT version INTO v_version FROM ${meta};
    IF v_version > ${SCHEMA_VERSION} THEN
      RAISE EXCEPTION 'schema ${schema} has version %', v_version USING ERRCODE = '${NEWER_SCHEMA}';
    END IF;
    RETURN;
  END IF;
  ${statements(names).join(";\n  ")};
END
$kyb_migrate$`;
}

/** The same for those who run migrations with tools of their own: the file in the folder `sql`. */
export function migrationFile(names: Names): string {
  return `-- Tables and functions of @kyb/session-postgres, version ${SCHEMA_VERSION}, as "await store.migrate()" makes them.
-- For another schema or table than the default ones: "await store.migrate()", or replace the names.
BEGIN;
${statements(names).join(";\n\n")};
COMMIT;
`;
}
