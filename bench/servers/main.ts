import { serveParent } from "../method/serve-parent.ts";
import { memoryNow, settledMemory } from "../workers/heap.ts";
import { ProcessProfiler } from "./profiler.ts";
import type { Running, Variants } from "./variant.ts";

/** `main.ts <host> <variant>`: serves one variant and answers what the parent asks of it. */
const [host = "", variant = ""] = process.argv.slice(2);
const { variants } = (await import(`./${host}.ts`)) as { variants: Variants };
const start = variants[variant];
if (start === undefined) throw new Error(`There is no ${host}/${variant}.`);
const running: Running = await start();
const profiler = new ProcessProfiler();

serveParent({
  port: () => running.port,
  tracked: () => running.tracked?.() ?? null,
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: memoryNow,
  collect: async () => (await settledMemory()).heap,
  allocated: () => memoryNow().heap,
  profile: () => profiler.start(),
  profiled: () => profiler.stop(),
});
