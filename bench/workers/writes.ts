import type { Sample } from "../method/rounds.ts";
import { serveParent } from "../method/serve-parent.ts";
import { Population } from "./population.ts";

const BATCH = 2000;

/** Creation and sign-in, each in batches; what is set up for a batch is not timed. */
serveParent({ create: timed(create), signIn: timed(signIn) });

/** Sessions of a user, as an administrator or a test makes them. */
async function create(): Promise<() => Promise<void>> {
  const population = new Population(0);
  return async () => {
    for (let index = 0; index < BATCH; index++) {
      await population.manager.create({
        userId: `user-${index}`,
        ipAddress: "10.0.0.1",
        userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      });
    }
    const { activeSessions } = await population.manager.metrics();
    if (activeSessions < BATCH) throw new Error(`${activeSessions} sessions were made.`);
    await population.manager.close();
  };
}

/** Sign-ins, each with a new secret, of sessions whose visits have been opened. */
async function signIn(): Promise<() => Promise<void>> {
  const population = new Population(BATCH);
  await population.fill(BATCH, 1);
  const opened = await Promise.all(
    Array.from({ length: BATCH }, (_, index) => population.open(index)),
  );
  return async () => {
    for (const [index, visit] of opened.entries()) {
      await visit.session.signIn(`other-${index}`);
      await visit.commit();
    }
    const [first] = (await opened[0]?.commit()) ?? [];
    if (first?.includes(population.cookieOf(0)) !== false)
      throw new Error("The secret did not change.");
    await population.manager.close();
  };
}

/** Runs batches until the time is over. */
function timed(
  prepare: () => Promise<() => Promise<void>>,
): (milliseconds: number) => Promise<Sample> {
  return async (milliseconds) => {
    let cpuMicros = 0;
    let wallMillis = 0;
    let operations = 0;
    while (wallMillis < milliseconds) {
      const work = await prepare();
      const before = process.cpuUsage();
      const begunAt = performance.now();
      await work();
      wallMillis += performance.now() - begunAt;
      const { user, system } = process.cpuUsage(before);
      cpuMicros += user + system;
      operations += BATCH;
    }
    return { operations, cpuMicros, wallMillis };
  };
}
