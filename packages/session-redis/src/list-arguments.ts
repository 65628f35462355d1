import type { StoreQuery } from "@kyb/session-core/store";
import type { ListPlace } from "./cursor.ts";
import { encodePart, encodeText } from "./text-code.ts";

/** Sessions that one page may look at in vain; then it ends, however few it found, and its cursor carries on. */
export const MAX_MISSES = 1000;

/** What of a page the script is to answer. */
export interface ListWish {
  readonly want: number;
  readonly skip: number;
  /** With the records. */
  readonly full: boolean;
  readonly misses: number;
}

/** What the script `list` takes. */
export function listArguments(
  { userId, status, search, sort, direction }: StoreQuery,
  start: ListPlace | undefined,
  { want, skip, full, misses }: ListWish,
): (string | number)[] {
  return [
    userId === undefined ? "" : encodePart(userId),
    status,
    search === undefined ? "-" : encodeText(search),
    encodePart(search),
    sort,
    direction,
    want,
    skip,
    start?.time ?? "-",
    start === undefined ? "-" : encodeText(start.id),
    full ? 1 : 0,
    misses,
  ];
}
