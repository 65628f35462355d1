import type { Sample } from "../method/rounds.ts";
import { serveParent } from "../method/serve-parent.ts";

interface Held {
  expiresAt: number;
  count: number;
  user: number;
  seenAt: number;
}

const KEY_BYTES = 32;

/** The least that finding a session can cost: a `Map`, its keys drawn at random, four fields of what is found. */
let sessions = new Map<string, Held>();
let keys: string[] = [];
let bytes = Buffer.alloc(0);
let isFresh = false;
let seed = 1;

serveParent({ fill, run });

/** `fresh`: each key is a string of its own, as cut from a header, whose hash nobody has computed yet. */
function fill({ count, fresh }: { count: number; fresh: boolean }): void {
  isFresh = fresh;
  sessions = new Map();
  keys = [];
  bytes = Buffer.alloc(count * KEY_BYTES);
  for (let index = 0; index < count; index++) {
    const key = Buffer.from(`${index}`.padStart(8, "k").repeat(3))
      .toString("base64")
      .slice(0, KEY_BYTES);
    bytes.write(key, index * KEY_BYTES, "latin1");
    sessions.set(key, { expiresAt: index, count: 0, user: index, seenAt: 0 });
    if (!fresh) keys.push(key);
  }
  if (sessions.size !== count) throw new Error(`${sessions.size} of ${count} keys differ.`);
}

function run(milliseconds: number): Sample {
  const size = sessions.size;
  const before = process.cpuUsage();
  const begunAt = performance.now();
  let operations = 0;
  let sum = 0;
  let now = begunAt;
  while (now - begunAt < milliseconds) {
    for (let look = 0; look < 1000; look++) {
      const index = random(size);
      const begin = index * KEY_BYTES;
      const key = isFresh
        ? bytes.toString("latin1", begin, begin + KEY_BYTES)
        : (keys[index] ?? "");
      const held = sessions.get(key);
      if (held === undefined) throw new Error("A key is missing.");
      held.count += 1;
      held.seenAt = now;
      sum += held.expiresAt + held.user;
    }
    operations += 1000;
    now = performance.now();
  }
  if (sum === 0 && size > 1) throw new Error("Nothing was read.");
  const { user, system } = process.cpuUsage(before);
  return { operations, cpuMicros: user + system, wallMillis: now - begunAt };
}

function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}
