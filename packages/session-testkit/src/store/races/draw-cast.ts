import type { SeededRandom } from "../random.ts";

/** Who takes part: the plan's own, up to two more, and for some a second request. */
export function drawCast<Script>(
  plan: { readonly always: readonly Script[]; readonly others: readonly [Script, ...Script[]] },
  random: SeededRandom,
): Script[][] {
  const firsts = [...plan.always];
  for (let more = random.below(3); more > 0; more--) firsts.push(random.pick(plan.others));
  return firsts.map((first) => (random.chance(0.25) ? [first, random.pick(plan.others)] : [first]));
}
