import { StoreBench } from "../bench.ts";
import { HOUR, queryOf } from "../fixtures.ts";
import type { StoreHarness } from "../harness.ts";
import { hashText } from "../random.ts";
import { Arena } from "./arena.ts";
import { violationsOf } from "./check-world.ts";
import type { Event } from "./history.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/** How much was explored. */
export interface RaceReport {
  readonly interleavings: number;
  /** How many of them differ in their scripts or in the order of what happened. */
  readonly distinct: number;
  /** How often the store gave which answer: `commit superseded`, `end gone`, …. */
  readonly answers: Readonly<Record<string, number>>;
}

/** One interleaving, all of which follows from scenario and seed. */
export interface RaceRun {
  readonly scenario: string;
  readonly seed: number;
  /** Which client did what. */
  readonly scripts: readonly string[];
  /** What happened in which order; see `Scheduler.schedule`. */
  readonly schedule: string;
  /** What the store answered, call by call. */
  readonly answers: readonly string[];
  /** What went wrong; empty: nothing. */
  readonly violations: readonly string[];
}

/** An interleaving in which the store broke the race contract. */
export class RaceViolation extends Error {
  override readonly name = "RaceViolation";
  readonly run: RaceRun;

  constructor(run: RaceRun) {
    const { scenario, seed, scripts, schedule, violations } = run;
    super(
      [
        `Seed ${seed} breaks the race contract:`,
        ...violations.slice(0, 5).map((violation) => `- ${violation}`),
        `Clients: ${scripts.join("; ")}`,
        `Schedule: ${schedule}`,
        `Again: await replayRace(harness, ${JSON.stringify(scenario)}, ${seed})`,
      ].join("\n"),
    );
    this.run = run;
  }
}

/** Runs one interleaving of one scenario again, from its seed. */
export async function replayRace(
  harness: StoreHarness,
  scenarioName: string,
  seed: number,
): Promise<RaceRun> {
  const scenario = scenarios.find(({ name }) => name === scenarioName);
  if (scenario === undefined) throw new Error(`There is no scenario "${scenarioName}".`);
  return runRace(harness, scenario, seed);
}

/**
 * Explores more than the suite does: this many interleavings of each scenario, from seeds of your own, as for a run
 * at night. Throws a {@link RaceViolation} at the first that goes wrong.
 */
export async function exploreRaces(
  harness: StoreHarness,
  seeds: { readonly first: number; readonly count: number },
): Promise<RaceReport> {
  const total = { interleavings: 0, distinct: 0, answers: {} as Record<string, number> };
  for (const scenario of scenarios) {
    const { interleavings, distinct, answers } = await exploreRace(harness, scenario, seeds);
    total.interleavings += interleavings;
    total.distinct += distinct;
    for (const [answer, count] of Object.entries(answers)) {
      total.answers[answer] = (total.answers[answer] ?? 0) + count;
    }
  }
  return total;
}

/** Which seeds of a scenario are run. */
export interface Seeds {
  readonly first: number;
  /** At least so many. */
  readonly count: number;
  /** And more, up to so many, until every answer was seen without which the race is none. Default: `count`. */
  readonly atMost?: number;
}

/** Explores interleavings of one scenario. Throws a {@link RaceViolation} at the first that goes wrong. */
export async function exploreRace(
  harness: StoreHarness,
  scenario: Scenario,
  { first, count, atMost = count }: Seeds,
): Promise<RaceReport> {
  const schedules = new Set<number>();
  const answers: Record<string, number> = {};
  let done = 0;
  while (done < count || (done < atMost && unseen(scenario, answers).length > 0)) {
    const run = await runRace(harness, scenario, first + done);
    if (run.violations.length > 0) throw new RaceViolation(run);
    schedules.add(hashText(`${run.scripts.join(";")}|${run.schedule}`));
    for (const answer of run.answers) answers[answer] = (answers[answer] ?? 0) + 1;
    done += 1;
  }
  return { interleavings: done, distinct: schedules.size, answers };
}

/** The answers that this race is about and that no interleaving got. */
export function unseen(
  { sees }: Scenario,
  answers: Readonly<Record<string, number>>,
): readonly string[] {
  return sees.filter((answer) => answers[answer] === undefined);
}

async function runRace(harness: StoreHarness, scenario: Scenario, seed: number): Promise<RaceRun> {
  const bench = await StoreBench.open(harness, { endedRetention: 1000 * HOUR });
  try {
    const arena = new Arena(bench, scenario.name, seed, scenario);
    const { scheduler, history } = arena;
    const cast = await scenario.cast(arena);
    await scheduler.run(cast.clients);
    const seen = await cast.finish();
    await takeStock(arena);
    const metrics = await bench.metrics();
    const { userLimit } = cast;
    return {
      scenario: scenario.name,
      seed,
      scripts: cast.scripts,
      schedule: scheduler.schedule,
      answers: history.events.map(answerOf),
      violations: [...seen, ...violationsOf({ history, heard: bench.events, metrics, userLimit })],
    };
  } finally {
    await bench.close();
  }
}

/** What is there when the race is over, in the history's last events. */
async function takeStock({ bench, direct, history }: Arena): Promise<void> {
  await history.settled();
  for (let more = true; more; ) ({ more } = await direct.sweep({ milliseconds: 50 }, bench.call));
  for (const userId of ["ann", "bob"]) {
    await direct.list(queryOf({ userId, limit: 200 }), bench.call);
  }
  for (const { session, answer } of history.of("create")) {
    if (answer?.status === "created") await direct.find(session.id, bench.call);
  }
}

function answerOf(event: Event): string {
  switch (event.method) {
    case "create":
    case "commit":
      return `${event.method} ${event.answer?.status}`;
    case "end":
      return `end ${event.answer}`;
    case "endIfDue":
      return event.answer === undefined ? "endIfDue ended" : "endIfDue live";
    case "endUser":
      return event.answer?.length === 0 ? "endUser none" : "endUser some";
    case "sweep":
      return event.answer === 0 ? "sweep none" : "sweep some";
    default:
      return event.method;
  }
}
