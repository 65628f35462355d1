import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Program, startProgram } from "../../demo/test/program.ts";

/** Longest wait for what one instance tells another, milliseconds; the tracking is flushed every second. */
const PATIENCE = 10_000;

describeWithServer("redis", "Two instances of one application on one Redis", (server) => {
  let instances: Program[];
  const start = (): Promise<Program> =>
    startProgram(new URL("..", import.meta.url), { REDIS_URL: server().url });

  beforeAll(async () => {
    instances = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.stop()));
  });

  const at = (index: number, path: string, cookie = "", method = "GET"): Promise<Response> =>
    fetch(new URL(path, instances[index]?.url), {
      method,
      redirect: "manual",
      headers: cookie === "" ? {} : { Cookie: cookie },
    });
  const signIn = async (index: number): Promise<string> => {
    const [line = ""] = (await at(index, "/sign-in", "", "POST")).headers.getSetCookie();
    return line.slice(0, line.indexOf(";"));
  };

  it("serve one session, whichever is asked", async () => {
    const cookie = await signIn(0);
    expect(await (await at(0, "/", cookie)).text()).toMatch(/^Visit 1 of alice/);
    expect(await (await at(1, "/", cookie)).text()).toMatch(/^Visit 2 of alice/);
    expect(await (await at(0, "/", cookie)).text()).toMatch(/^Visit 3 of alice/);
  });

  it("lose no update of requests that run on both at the same time (F-03)", async () => {
    const cookie = await signIn(0);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => at(index % 2, "/", cookie)),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(64).fill(200));
    expect(await (await at(1, "/", cookie)).text()).toMatch(/^Visit 65 of alice/);
  });

  it("end a session for each other: the next request is signed out (R-30)", async () => {
    const cookie = await signIn(0);
    const id = cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf("."));
    const ended = await at(1, `/v1/sessions?session_id=${id}`, "", "DELETE");
    expect(await ended.json()).toMatchObject({ success: true, count: 1 });
    const next = await at(0, "/v1/sessions/current", cookie);
    expect(next.status).toBe(404);
    expect(await (await at(0, "/", cookie)).text()).toMatch(/of a stranger/);
  });

  it("show the same numbers", async () => {
    const compare = async (): Promise<void> => {
      const [one, other] = await Promise.all([metricsAt(0), metricsAt(1)]);
      expect(one).toEqual(other);
      // Every request of the tests above that had a session.
      expect(one.total_requests).toBeGreaterThanOrEqual(70);
    };
    await vi.waitFor(compare, { timeout: PATIENCE });
  });

  it("go on when one is killed: nothing acknowledged is lost but its own tracking of a second (F-13)", async () => {
    const cookie = await signIn(1);
    let acknowledged = 0;
    let unanswered = 0;
    const visit = async (index: number): Promise<void> => {
      try {
        if ((await at(index, "/", cookie)).ok) acknowledged++;
      } catch {
        // The instance was killed before it answered: nobody knows whether this visit was counted.
        unanswered++;
      }
    };
    for (let round = 0; round < 20; round++) await Promise.all([visit(0), visit(1)]);
    const last = Array.from({ length: 16 }, (_, index) => visit(index % 2));
    await instances[0]?.stop("SIGKILL");
    await Promise.all(last);

    const text = await (await at(1, "/", cookie)).text();
    const counted = Number(/^Visit (\d+) of alice/.exec(text)?.[1]) - 1;
    expect(counted).toBeGreaterThanOrEqual(acknowledged);
    expect(counted).toBeLessThanOrEqual(acknowledged + unanswered);
    instances[0] = await start();
    expect(await (await at(0, "/", cookie)).text()).toMatch(`Visit ${counted + 2} of alice`);
  });

  async function metricsAt(index: number): Promise<Record<string, unknown>> {
    const { metrics } = (await (await at(index, "/v1/sessions/metrics")).json()) as {
      metrics: Record<string, unknown>;
    };
    const { total_sessions, active_sessions, expired_sessions, total_requests, ended_by_reason } =
      metrics;
    return { total_sessions, active_sessions, expired_sessions, total_requests, ended_by_reason };
  }
});
