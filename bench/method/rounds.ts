import { type Spread, spread } from "./statistics.ts";

/** What one slice of time measured. */
export interface Sample {
  readonly operations: number;
  /** Of the process under test, its own accounting. */
  readonly cpuMicros: number;
  readonly wallMillis: number;
}

/** One of the things that are compared. */
export interface Contender {
  readonly name: string;
  run(milliseconds: number): Promise<Sample>;
}

/** How long everything takes. */
export interface Pace {
  readonly rounds: number;
  /** Milliseconds of one slice. */
  readonly slice: number;
  /** Milliseconds before anything counts, at least. */
  readonly warmUp: number;
  /** Operations before anything counts, at least: code that few requests ran through is not compiled yet. */
  readonly warmUpOperations: number;
  /** Most times that `warmUp` is spent on one contender: what is slow is warm before it has done that many. */
  readonly maxWarmUp: number;
}

/** All samples of one contender, one per round; the same index is the same round for all. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/**
 * Runs all contenders round after round, A B C A B C, so that a machine that slows down slows all of them; what is
 * compared afterwards is always of the same round.
 */
export async function interleave(contenders: readonly Contender[], pace: Pace): Promise<Samples> {
  for (const contender of contenders) await warmUp(contender, pace);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < pace.rounds; round++) {
    for (const contender of contenders) {
      samples.get(contender.name)?.push(await contender.run(pace.slice));
    }
  }
  return samples;
}

async function warmUp(contender: Contender, pace: Pace): Promise<void> {
  let done = 0;
  for (let slice = 0; slice < pace.maxWarmUp; slice++) {
    done += (await contender.run(pace.warmUp)).operations;
    if (done >= pace.warmUpOperations) return;
  }
}

/** CPU microseconds for one operation. */
export function cpuPerOperation(sample: Sample): number {
  return sample.cpuMicros / sample.operations;
}

/** Operations per second. */
export function rate(sample: Sample): number {
  return (sample.operations / sample.wallMillis) * 1000;
}

/** A figure of one contender, over its rounds. */
export function figure(samples: Samples, name: string, of: (sample: Sample) => number): Spread {
  return spread(roundsOf(samples, name).map(of));
}

/** A figure that compares two contenders within each round. */
export function compare(
  samples: Samples,
  left: string,
  right: string,
  of: (left: Sample, right: Sample) => number,
): Spread {
  const others = roundsOf(samples, right);
  return spread(
    roundsOf(samples, left).map((sample, round) => {
      const other = others[round];
      return other === undefined ? Number.NaN : of(sample, other);
    }),
  );
}

/** CPU microseconds that one adds over another. */
export function added(left: Sample, right: Sample): number {
  return cpuPerOperation(left) - cpuPerOperation(right);
}

/** Throughput as a share of the other's. */
export function share(left: Sample, right: Sample): number {
  return rate(left) / rate(right);
}

function roundsOf(samples: Samples, name: string): readonly Sample[] {
  const found = samples.get(name);
  if (found === undefined) throw new Error(`"${name}" was not measured.`);
  return found;
}
