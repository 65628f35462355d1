import { tmpdir } from "node:os";
import { join } from "node:path";

/** The frameworks that the demo can run on. */
export const HOSTS = ["express", "koa", "hono", "node"] as const;

/** Where the demo can keep its sessions. */
export const STORES = ["memory", "sqlite", "redis", "postgres"] as const;

/** A store, and where it is: the path of a file for `sqlite`, nothing for `memory`. */
export interface StoreSettings {
  readonly kind: (typeof STORES)[number];
  readonly url: string;
}

export interface Settings {
  readonly framework: (typeof HOSTS)[number];
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly store: StoreSettings;
}

/** Why the program does not start, in a sentence for the person who started it. */
export class CannotStart extends Error {}

/** Where each store is unless `KYB_DEMO_STORE_URL` says otherwise. */
const STORE_URLS: Readonly<Record<StoreSettings["kind"], string>> = {
  memory: "",
  sqlite: join(tmpdir(), "kyb-demo.db"),
  redis: "redis://127.0.0.1:6379",
  postgres: "postgres://postgres@127.0.0.1:5432/postgres",
};

/** How the URL of a server begins. */
const SCHEMES: Readonly<Partial<Record<StoreSettings["kind"], readonly string[]>>> = {
  redis: ["redis://", "rediss://"],
  postgres: ["postgres://", "postgresql://"],
};

/** Reads the environment. Throws `CannotStart`, naming the variable, the rule and the value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const framework = oneOf("KYB_DEMO_HOST", HOSTS, env.KYB_DEMO_HOST || "express");
  const port = env.PORT || "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw refused("PORT", "a number from 0 to 65535", port);
  }
  const store = readStore(env.KYB_DEMO_STORE || "memory", env.KYB_DEMO_STORE_URL || undefined);
  return { framework, host: env.HOST || "127.0.0.1", port: Number(port), store };
}

function readStore(name: string, url: string | undefined): StoreSettings {
  const kind = oneOf("KYB_DEMO_STORE", STORES, name);
  if (kind === "memory" && url !== undefined) {
    throw new CannotStart(
      "KYB_DEMO_STORE_URL says where a store is, but KYB_DEMO_STORE is memory.",
    );
  }
  const schemes = SCHEMES[kind];
  if (url !== undefined && schemes?.some((scheme) => url.startsWith(scheme)) === false) {
    // Not the value: there may be a password in it.
    throw new CannotStart(
      `KYB_DEMO_STORE_URL must begin with ${schemes.join(" or ")} for ${kind}.`,
    );
  }
  return { kind, url: url ?? STORE_URLS[kind] };
}

function oneOf<Name extends string>(variable: string, known: readonly Name[], value: string): Name {
  const found = known.find((name) => name === value);
  if (found === undefined) throw refused(variable, `one of ${known.join(", ")}`, value);
  return found;
}

function refused(variable: string, rule: string, value: string): CannotStart {
  return new CannotStart(`${variable} must be ${rule}, got ${JSON.stringify(value)}.`);
}
