import type { EndReason } from "../record.ts";

/** All sessions of a user, which ended together and leave the indexes one after the other. */
export interface Departure {
  /** The number that the user had; the user's id no longer leads to it. */
  readonly user: number;
  readonly reason: EndReason;
  /** When all of them ended, epoch milliseconds. */
  readonly at: number;
  /** How many have not left yet. */
  left: number;
  /** The ids of those that have left and were not due before. */
  readonly ended: string[];
}
