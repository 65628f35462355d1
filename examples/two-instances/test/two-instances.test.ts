import { describeWithServer } from "@kyb/session-testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Program, startProgram } from "../../demo/test/program.ts";
import { Load } from "./load.ts";

/** Longest wait for what one instance tells another, milliseconds; the tracking is flushed every second. */
const PATIENCE = 10_000;
/**
 * Tracking that a killed instance may not have sent yet, milliseconds: the default `flushInterval`, and as much again for
 * a machine that is too busy to flush in time.
 */
const UNSENT = 2000;
/** Visits of the load that have to have reached the store's tracking before the instance is killed. */
const TRACKED_BEFORE = 300;

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
    const id = idIn(cookie);
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

  it("go on when one is killed under load: nothing acknowledged is lost but its own tracking of a second (F-13)", async () => {
    const cookie = await signIn(1);
    const id = idIn(cookie);
    const load = new Load(2, (index) => at(index, "/", cookie));
    // Long enough that the killed instance had far more acknowledged than what it had not sent.
    const isUnderWay = async (): Promise<void> => {
      expect(await requestsOf(id)).toBeGreaterThan(TRACKED_BEFORE);
      expect(load.since(0, 0)).toBeGreaterThan(2 * load.since(0, performance.now() - UNSENT));
    };
    await vi.waitFor(isUnderWay, { timeout: 4 * PATIENCE, interval: 200 });
    const killedAt = performance.now();
    await instances[0]?.stop("SIGKILL");
    const before = load.since(1, 0);
    const goesOn = (): void => expect(load.since(1, 0)).toBeGreaterThan(before + 20);
    await vi.waitFor(goesOn, { timeout: PATIENCE });
    await load.stop();
    expect(load.unanswered).toBeGreaterThan(0);

    const visits = await visitsAt(1, cookie);
    const acknowledged = load.total + 1;
    expect(visits).toBeGreaterThanOrEqual(acknowledged);
    expect(visits).toBeLessThanOrEqual(acknowledged + load.unanswered);

    const unsent = load.since(0, killedAt - UNSENT);
    const isTracked = async (): Promise<void> =>
      expect(await requestsOf(id)).toBeGreaterThanOrEqual(acknowledged - unsent);
    await vi.waitFor(isTracked, { timeout: PATIENCE });
    // The sign-in is one of them, too.
    expect(await requestsOf(id)).toBeLessThanOrEqual(acknowledged + load.unanswered + 1);

    instances[0] = await start();
    expect(await visitsAt(0, cookie)).toBe(visits + 1);
  }, 60_000);

  /** Which visit of the signed-in user this one is. */
  async function visitsAt(index: number, cookie: string): Promise<number> {
    const text = await (await at(index, "/", cookie)).text();
    return Number(/^Visit (\d+) of alice/.exec(text)?.[1]);
  }

  /** The requests of a session that have been tracked, as the second instance says. */
  async function requestsOf(id: string): Promise<number> {
    const answer = await at(1, `/v1/sessions/detail?session_id=${id}`);
    const { session } = (await answer.json()) as { session: { request_count: number } };
    return session.request_count;
  }

  async function metricsAt(index: number): Promise<Record<string, unknown>> {
    const { metrics } = (await (await at(index, "/v1/sessions/metrics")).json()) as {
      metrics: Record<string, unknown>;
    };
    const { total_sessions, active_sessions, expired_sessions, total_requests, ended_by_reason } =
      metrics;
    return { total_sessions, active_sessions, expired_sessions, total_requests, ended_by_reason };
  }
});

/** The public part of the token. */
function idIn(cookie: string): string {
  return cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf("."));
}
