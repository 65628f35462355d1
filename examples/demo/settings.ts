/** The frameworks that the demo can run on. */
export const HOSTS = ["express", "koa", "hono", "node"] as const;

export interface Settings {
  readonly framework: (typeof HOSTS)[number];
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Why the program does not start, in a sentence for the person who started it. */
export class CannotStart extends Error {}

/** Reads the environment. Throws `CannotStart`, naming the variable, the rule and the value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const name = env.KYB_DEMO_HOST || "express";
  const framework = HOSTS.find((known) => known === name);
  if (framework === undefined) throw refused("KYB_DEMO_HOST", `one of ${HOSTS.join(", ")}`, name);
  const port = env.PORT || "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw refused("PORT", "a number from 0 to 65535", port);
  }
  return { framework, host: env.HOST || "127.0.0.1", port: Number(port) };
}

function refused(variable: string, rule: string, value: string): CannotStart {
  return new CannotStart(`${variable} must be ${rule}, got ${JSON.stringify(value)}.`);
}
