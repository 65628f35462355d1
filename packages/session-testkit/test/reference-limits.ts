import type { UserLimit } from "@kyb/session-core/store";
import { isProvisional } from "@kyb/session-core/store";
import type { Held } from "./reference-held.ts";

/** Whom the user's limit makes leave; undefined: nobody may, so the newcomer is refused. */
export function leavingFor(
  live: readonly Held[],
  {
    userId,
    limit,
    newcomer,
  }: { userId: string | undefined; limit: UserLimit | undefined; newcomer: string },
): Held[] | undefined {
  if (userId === undefined || limit === undefined) return [];
  const mine = live.filter(
    ({ record: { state } }) => state.userId === userId && state.id !== newcomer,
  );
  const excess = mine.length + 1 - limit.max;
  if (excess <= 0) return [];
  if (limit.policy === "reject") return undefined;
  const age = ({ record }: Held): number =>
    limit.policy === "evict-oldest" ? record.state.createdAt : record.lastAccessTime;
  return mine.sort((left, right) => age(left) - age(right)).slice(0, excess);
}

/** Who goes to make room for one more; undefined: nobody can. */
export function roomFor(
  live: readonly Held[],
  maxSessions: number | undefined,
  leaving: number,
): Held[] | undefined {
  const excess = live.length - leaving + 1 - (maxSessions ?? Number.POSITIVE_INFINITY);
  if (excess <= 0) return [];
  const provisional = live.filter(({ record }) => isProvisional(record));
  const anonymous = live.filter(
    ({ record }) => record.state.userId === undefined && !isProvisional(record),
  );
  const candidates = [
    ...provisional.sort(
      (left, right) => left.record.state.createdAt - right.record.state.createdAt,
    ),
    ...anonymous.sort((left, right) => left.record.lastAccessTime - right.record.lastAccessTime),
  ];
  return candidates.length < excess ? undefined : candidates.slice(0, excess);
}
