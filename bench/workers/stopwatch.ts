/** A moment, as far as a process can tell what it did since. */
interface Moment {
  readonly wall: number;
  readonly switches: number;
  readonly cpu: number;
}

/**
 * Measures stretches of this thread's own work; milliseconds. A stretch in which the system gave the core to somebody else
 * counts with the CPU time of this process, which is only known to the tick (4 ms); all others with their wall time.
 */
export class Stopwatch {
  #begin: Moment = moment();

  /** Time since the last call, or since this was made. */
  lap(): number {
    const begin = this.#begin;
    const end = moment();
    this.#begin = end;
    const wall = end.wall - begin.wall;
    return end.switches === begin.switches ? wall : Math.min(wall, end.cpu - begin.cpu);
  }
}

function moment(): Moment {
  const usage = process.resourceUsage();
  return {
    wall: performance.now(),
    switches: usage.involuntaryContextSwitches + usage.voluntaryContextSwitches,
    cpu: (usage.userCPUTime + usage.systemCPUTime) / 1000,
  };
}
