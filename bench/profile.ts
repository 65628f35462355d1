import { writeFileSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { parseArgs } from "node:util";
import { LoadGenerator, ServerUnderTest } from "./method/server.ts";
import { flameGraph } from "./report/flame-graph.ts";
import { ownerOf, selfTimes } from "./report/self-time.ts";

/** Where the time of one variant goes: `node profile.ts express ours`. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    top: { type: "string", default: "40" },
    out: { type: "string" },
    picture: { type: "string" },
  },
});
const [host = "express", variant = "ours"] = positionals;
const load = new LoadGenerator();
const expected = { knowsUsers: variant !== "bare", lines: 0, counts: false };
const server = new ServerUnderTest({ host, variant, load, expected });
try {
  await server.begin(1000);
  await server.run(3000);
  await server.ask("profile");
  const { operations, cpuMicros } = await server.run(5000);
  const profile = await server.ask<Profiler.Profile>("profiled");
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(profile));

  if (values.picture !== undefined) {
    const title = `${host}, ${variant}: where the server's time goes, ${operations} requests`;
    writeFileSync(values.picture, flameGraph(profile, title, ownerOf));
  }

  const perRequest = cpuMicros / operations;
  console.log(`${host}/${variant}: ${perRequest.toFixed(1)} µs a request while profiled`);
  const { functions, packages } = selfTimes(profile);
  for (const [name, share] of packages) {
    if (share > 0.005) console.log(`${line(share, perRequest)}  ${name}`);
  }
  console.log();
  for (const { name, place, share } of functions.slice(0, Number(values.top))) {
    console.log(`${line(share, perRequest)}  ${name}  ${place}`);
  }
} finally {
  await server.stop();
  await load.stop();
}

function line(share: number, perRequest: number): string {
  const percent = `${(share * 100).toFixed(1)} %`.padStart(7);
  return `${percent} ${(share * perRequest).toFixed(2).padStart(6)} µs`;
}
