import type { SessionStore } from "@kyb/session-core/store";

/** A store that breaks one guarantee on purpose, and the cases that must notice. */
export interface BrokenTwin {
  /** What it does wrong. */
  readonly name: string;
  readonly open: () => SessionStore;
  /** Names of cases, each of which must reject it. */
  readonly rejectedBy: readonly string[];
}

export function twin(
  name: string,
  Store: new () => SessionStore,
  ...rejectedBy: readonly string[]
): BrokenTwin {
  return { name, open: () => new Store(), rejectedBy };
}
