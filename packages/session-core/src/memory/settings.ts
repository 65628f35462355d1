import { systemClock } from "../environment.ts";
import { invalidOption } from "../internal/invalid-option.ts";
import type { StoreSettings } from "../store.ts";

/**
 * Options of the store in memory. Each is normally taken from the manager's configuration; what is given here wins.
 */
export interface MemoryStoreOptions extends Partial<StoreSettings> {
  /**
   * Milliseconds that never go back; only differences mean something. For the budget of `sweep`.
   * Default: the platform's.
   */
  readonly monotonic?: () => number;
}

/** All settings of one store. */
export interface MemorySettings extends StoreSettings {
  readonly monotonic: () => number;
  readonly maxEnded: number;
}

const DEFAULTS: MemorySettings = {
  now: systemClock.now,
  monotonic: systemClock.monotonic,
  activityLimit: 1000,
  activityBytes: 256 * 1024 * 1024,
  activityRetention: undefined,
  endedRetention: 24 * 60 * 60 * 1000,
  maxEnded: 1000,
  metrics: true,
};

const NUMBERS = [
  "activityLimit",
  "activityBytes",
  "activityRetention",
  "endedRetention",
  "maxEnded",
] as const;

/** Options over what the manager says over the defaults. Throws `INVALID_CONFIG` naming a wrong option. */
export function memorySettings(
  options: MemoryStoreOptions,
  attached: StoreSettings | undefined,
): MemorySettings {
  for (const name of Object.keys(options)) {
    if (!(name in DEFAULTS)) throw invalidOption(name, "an option of memoryStore", name);
  }
  for (const name of NUMBERS) {
    const value: unknown = options[name];
    if (value === undefined || (typeof value === "number" && value >= 0)) continue;
    throw invalidOption(name, "a number that is not negative", value);
  }
  return Object.freeze({ ...DEFAULTS, ...known(attached ?? {}), ...known(options) });
}

/** What is left of a value's type without what is `undefined` in it. */
type Defined<Given> = { readonly [Key in keyof Given]?: Exclude<Given[Key], undefined> };

function known<Given extends object>(given: Given): Defined<Given> {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Defined<Given>;
}
