import { plainCases } from "./cases/index.ts";
import type { StoreCase } from "./harness.ts";
import { raceCases } from "./races/index.ts";

/** Every case of the store suite, by topic. */
export const storeCases: readonly StoreCase[] = [...plainCases, ...raceCases];
