import { parse } from "bowser";
import { isbot } from "isbot";
import { cutText } from "../internal/cut-text.ts";

/** A program or a system, as it calls itself. */
export interface ClientPart {
  readonly name: string;
  /** As it was sent, such as `128.0.2739.42`; absent where there is none or it would mislead. */
  readonly version?: string;
}

/** What a user agent says about itself. All of it is hearsay: fit for display, not for decisions. */
export interface ClientDescription {
  readonly browser?: ClientPart;
  readonly system?: ClientPart;
  readonly device: "desktop" | "mobile" | "tablet" | "tv" | "bot" | "unknown";
  /** Whether it looks like a program without a person: a crawler, a library, a command-line tool. */
  readonly bot: boolean;
  /** For people, such as `Firefox 128 on Windows`. Plain text: escape it where it is shown. */
  readonly label: string;
}

/** Longest user agent that is looked at, in characters. */
const MAX_USER_AGENT = 512;

/** What a name and a version have to look like; the header may hold anything, markup too. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._+-]{0,39}$/u;
const VERSION = /^\d[\w.+-]{0,31}$/;

/** `curl/8.5.0`: how tools name themselves (RFC 9110 §10.1.5), which a list of browsers does not know. */
const PRODUCT = /^([^\s/]+)(?:\/(\S+))?/;

/** Where browsers stopped telling the version: every later system says this one too. */
const FROZEN = ["Windows NT 10.0", "macOS 10.15.7", "Android 10"];

/**
 * Describes a client by its `User-Agent`. Takes any text, looks at its first 512 characters, never throws.
 *
 * It tries a few hundred expressions: call it for what is shown, not for every request.
 */
export function describeClient(userAgent: string): ClientDescription {
  const text = cutText(userAgent, MAX_USER_AGENT).trim();
  if (text === "") return { device: "unknown", bot: false, label: "Unknown client" };

  const { browser: program, os, platform } = parse(text);
  const bot = platform.type === "bot" || isbot(text);
  const browser = part(program.name, program.version) ?? productOf(text);
  const system = part(os.name, systemVersion(os));
  return {
    ...(browser === undefined ? {} : { browser }),
    ...(system === undefined ? {} : { system }),
    device: bot ? "bot" : deviceOf(platform.type, system),
    bot,
    label: labelOf(browser, system, bot),
  };
}

function part(name: string | undefined, version: string | undefined): ClientPart | undefined {
  // "Samsung Internet for Android on Android" says the system twice.
  const short = name?.replace(/ for Android$/, "");
  if (short === undefined || !NAME.test(short)) return undefined;
  return version !== undefined && VERSION.test(version)
    ? { name: short, version }
    : { name: short };
}

function productOf(text: string): ClientPart | undefined {
  const [, name, version] = PRODUCT.exec(text) ?? [];
  // Everybody claims to be Mozilla.
  return name === "Mozilla" ? undefined : part(name, version);
}

function systemVersion(os: {
  name?: string;
  version?: string;
  versionName?: string;
}): string | undefined {
  if (FROZEN.includes(`${os.name} ${os.version}`)) return undefined;
  // NT 6.1 is a number that nobody knows; 7 is the name.
  return os.name === "Windows" ? os.versionName : os.version;
}

function deviceOf(
  type: string | undefined,
  system: ClientPart | undefined,
): ClientDescription["device"] {
  if (type === "desktop" || type === "mobile" || type === "tablet" || type === "tv") return type;
  return system?.name === "Chrome OS" ? "desktop" : "unknown";
}

function labelOf(
  browser: ClientPart | undefined,
  system: ClientPart | undefined,
  bot: boolean,
): string {
  // Browsers count whole versions; of a tool or a crawler the second number matters.
  const version = browser?.version?.split(".", bot ? 2 : 1).join(".");
  const client = browser?.name ?? "Unknown client";
  const program = version === undefined ? client : `${client} ${version}`;
  return system === undefined || system.name === client ? program : `${program} on ${system.name}`;
}
