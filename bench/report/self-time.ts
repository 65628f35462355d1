import type { Profiler } from "node:inspector";

/** One function, with the time spent in it alone. */
export interface SelfTime {
  readonly name: string;
  readonly place: string;
  /** Share of all the time that was not idle. */
  readonly share: number;
}

/** The functions that take the most time themselves, and the same by package. */
export function selfTimes(profile: Profiler.Profile): {
  functions: SelfTime[];
  packages: Map<string, number>;
} {
  const times = new Map<number, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    times.set(id, (times.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  const functions = new Map<string, { name: string; place: string; time: number }>();
  const packages = new Map<string, number>();
  let total = 0;
  for (const { id, callFrame } of profile.nodes) {
    const time = times.get(id) ?? 0;
    if (time === 0 || callFrame.functionName === "(idle)") continue;
    // Starting and stopping the profiler itself.
    if (callFrame.url === "node:inspector") continue;
    total += time;
    const place = placeOf(callFrame.url, callFrame.lineNumber + 1);
    const name = callFrame.functionName || "(anonymous)";
    const key = `${name} ${place}`;
    const known = functions.get(key) ?? { name, place, time: 0 };
    known.time += time;
    functions.set(key, known);
    const owner = ownerOf(callFrame.url, name);
    packages.set(owner, (packages.get(owner) ?? 0) + time);
  }
  return {
    functions: [...functions.values()]
      .toSorted((left, right) => right.time - left.time)
      .map(({ name, place, time }) => ({ name, place, share: time / total })),
    packages: new Map(
      [...packages]
        .map(([name, time]): [string, number] => [name, time / total])
        .toSorted((left, right) => right[1] - left[1]),
    ),
  };
}

/** Whose code it is: a package, `node`, a folder of the bench, or what V8 calls itself, in parentheses. */
export function ownerOf(url: string, name: string): string {
  if (url === "") return name.startsWith("(") ? name : "(native)";
  if (url.startsWith("node:")) return "node";
  return (
    /node_modules\/(?!\.pnpm)((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ??
    /packages\/([^/]+)/.exec(url)?.[1] ??
    /bench\/(\w+)/.exec(url)?.[0] ??
    url
  );
}

function placeOf(url: string, line: number): string {
  const path = url.replace(/^file:\/\//, "").replace(/^.*\/(?:packages|node_modules)\//, "");
  return path === "" ? "" : `${path}:${line}`;
}
