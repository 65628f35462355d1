import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOSTS } from "../settings.ts";
import { runCurl } from "./curl.ts";
import { holdPost } from "./held-post.ts";
import { itServesPages } from "./it-serves-pages.ts";
import { type Program, startProgram } from "./program.ts";
import { Shop, sessionOf, timelineOf } from "./shop.ts";

const FOLDER = new URL("..", import.meta.url);
/** A forwarding header: with it, nobody counts as a program on this machine. */
const FROM_ELSEWHERE = { "X-Forwarded-For": "192.0.2.1" };
/** By the test that counts: four sessions, one of them signed out, one ended from elsewhere. */
const EXPECTED_GROWTH = {
  total_sessions: 4,
  active_sessions: 2,
  expired_sessions: 0,
  signed_in_sessions: 1,
  anonymous_sessions: 1,
  "signed-out": 1,
  revoked: 1,
  total_requests: 9,
  "2xx": 2,
  "3xx": 5,
  "4xx": 1,
  "5xx": 1,
};

describe.each(HOSTS)("The demo on %s", (host) => {
  let program: Program;
  let shop: Shop;
  beforeAll(async () => {
    program = await startProgram(FOLDER, { KYB_DEMO_HOST: host });
    shop = new Shop(program.url);
  }, 60_000);
  afterAll(() => program.stop("SIGKILL"));

  itServesPages(() => shop);

  it("prints four curl commands that work as they stand", async () => {
    const commands = program
      .output()
      .split("\n")
      .filter((line) => /^ {2}curl /.test(line));
    expect(commands).toEqual([
      `  curl -X POST ${program.url}/v1/sessions -H 'Content-Type: application/json' -d '{"user_id": "user123", "metadata": {"role": "beta_tester"}}'`,
      `  curl ${program.url}/v1/sessions/current`,
      `  curl ${program.url}/v1/sessions/metrics`,
      `  curl '${program.url}/v1/sessions/activity?limit=50'`,
    ]);
    const [create, current, numbers, activity] = await Promise.all(commands.map(runCurl));
    expect(create).toMatchObject({
      status: 201,
      body: { success: true, session_id: expect.any(String) },
    });
    expect(current).toMatchObject({
      status: 200,
      body: { success: true, session: { is_active: true } },
    });
    expect(numbers).toMatchObject({ status: 200, body: { success: true } });
    expect(activity).toMatchObject({
      status: 200,
      body: { success: true, activity: [], limit: 50 },
    });
  });

  it("makes the session that the first command asks for", async () => {
    const [command = ""] = program.output().match(/curl -X POST .*/) ?? [];
    const { body } = await runCurl(command);
    const id = (body as { session_id: string }).session_id;
    expect(await shop.open().json(`/v1/sessions/detail?session_id=${id}`)).toMatchObject({
      session: { id, user_id: "user123", metadata: { role: "beta_tester" }, is_active: true },
    });
  });

  it("gives the session a new secret at sign-in and keeps its id", async () => {
    const browser = shop.open();
    await browser.read("/");
    const [id, secret] = browser.cookie()?.split(".") ?? [];
    const response = await browser.post("/sign-in", { user: "alice" });
    expect([response.status, response.headers.get("location")]).toEqual([303, "/"]);
    const [newId, newSecret] = browser.cookie()?.split(".") ?? [];
    expect(newId).toBe(id);
    expect(newSecret).not.toBe(secret);
    expect(await browser.read("/")).toContain("Signed in as <strong>alice</strong>");
    expect(await sessionOf(browser)).toMatchObject({ id, user_id: "alice" });
  });

  it("ends the session at sign-out", async () => {
    const browser = await shop.openSignedIn("alice");
    const { id } = await sessionOf(browser);
    const old = browser.cookie() ?? "";
    expect((await browser.post("/sign-out")).status).toBe(303);
    expect(browser.cookie()).toBeUndefined();
    const replay = await shop.open().read("/", { headers: { Cookie: `kyb_session_id=${old}` } });
    expect(replay).toContain("You have no session at the moment");
    expect(await shop.open().json(`/v1/sessions/detail?session_id=${id}`)).toMatchObject({
      session: { is_active: false, end_reason: "signed-out" },
    });
  });

  it("lists a second browser under the same user, ends it, and its next request is signed out", async () => {
    const [laptop, phone] = [await shop.openSignedIn("bob"), await shop.openSignedIn("bob")];
    const [{ id: own }, { id: other }] = [await sessionOf(laptop), await sessionOf(phone)];
    const page = await laptop.read("/devices");
    expect(page).toContain(`value="${other}"`);
    expect(page).not.toContain(`value="${own}"`);
    expect((await laptop.post("/devices/end", { id: other })).status).toBe(303);
    expect(await phone.read("/")).toContain("You have no session at the moment");
    expect(await laptop.read("/")).toContain("Signed in as <strong>bob</strong>");
    expect((await laptop.post("/devices/end", { id: other })).status).toBe(404);
  });

  it("ends no session of another user by the devices page", async () => {
    const [alice, bob] = [await shop.openSignedIn("alice"), await shop.openSignedIn("bob")];
    const { id } = await sessionOf(bob);
    expect((await alice.post("/devices/end", { id })).status).toBe(404);
    expect(await bob.read("/")).toContain("Signed in as <strong>bob</strong>");
  });

  it("ends all other sessions of the user and none of anybody else", async () => {
    const [one, two, three] = await Promise.all(
      ["bob", "bob", "bob"].map((user) => shop.openSignedIn(user)),
    );
    const alice = await shop.openSignedIn("alice");
    expect((await one?.post("/devices/end-others"))?.status).toBe(303);
    expect(await one?.read("/")).toContain("Signed in as <strong>bob</strong>");
    expect(await two?.read("/")).toContain("You have no session");
    expect(await three?.read("/")).toContain("You have no session");
    expect(await alice.read("/")).toContain("Signed in as <strong>alice</strong>");
  });

  it("loses none of 64 additions to a cart at the same time, and keeps the cart at sign-in", async () => {
    const browser = shop.open();
    await browser.read("/");
    const products = ["tea", "mug", "honey", "tea"];
    const cookie = `kyb_session_id=${browser.cookie()}`;
    const held = Array.from({ length: 64 }, (_, index) =>
      holdPost(`${program.url}/cart`, cookie, { product: products[index % 4] ?? "" }),
    );
    const releases = await Promise.all(held);
    const statuses = await Promise.all(releases.map((release) => release()));
    expect(new Set(statuses)).toEqual(new Set([303]));
    expect(await browser.read("/cart")).toContain("Cart (64)");
    await browser.post("/cart", { product: "mug", change: "remove" });
    await browser.post("/sign-in", { user: "alice" });
    const { id } = await sessionOf(browser);
    expect(await shop.open().json(`/v1/sessions/detail?session_id=${id}`)).toMatchObject({
      session: { user_id: "alice", metadata: { cart: { tea: 32, mug: 15, honey: 16 } } },
    });
    expect((await browser.post("/cart", { product: "__proto__" })).status).toBe(404);
  });

  it("hands no cart of one user to the next in the same browser", async () => {
    const browser = await shop.openSignedIn("alice");
    await browser.post("/cart", { product: "tea" });
    await browser.post("/sign-in", { user: "bob" });
    expect(await browser.read("/cart")).toContain("Cart (0)");
  });

  it("shows slow, failing and custom lines in the timeline", async () => {
    const browser = shop.open();
    await browser.read("/");
    const [slow, failing] = [await browser.request("/slow"), await browser.request("/fail")];
    const size = (await slow.arrayBuffer()).byteLength;
    expect([slow.status, failing.status]).toEqual([200, 500]);
    expect(await failing.text()).toContain("Something went wrong on our side.");
    await browser.post("/cart", { product: "tea" });
    const lines = await timelineOf(browser);
    expect(
      lines.map(({ action, method, endpoint, status_code }) => [
        action,
        method,
        endpoint,
        status_code,
      ]),
    ).toEqual([
      ["request", "POST", "/cart", 303],
      ["cart.add", "POST", "/cart", 0],
      ["request", "GET", "/fail", 500],
      ["request", "GET", "/slow", 200],
      ["request", "GET", "/", 200],
    ]);
    const line = lines.find(({ endpoint }) => endpoint === "/slow");
    expect(line?.duration_ms).toBeGreaterThanOrEqual(990);
    expect(line?.response_size).toBe(size);
    expect(await browser.read("/")).toContain("slow on purpose");
  });

  it("counts to the unit what was done", async () => {
    const before = await shop.counts();
    const one = shop.open();
    await one.read("/");
    await one.read("/style.css");
    await one.post("/sign-in", { user: "alice" });
    await one.request("/fail");
    await one.json("/v1/sessions/current");
    const two = await shop.openSignedIn("alice");
    await two.request("/nowhere");
    const three = await shop.openSignedIn("bob");
    await one.post("/devices/end", { id: (await sessionOf(two)).id });
    await three.post("/sign-out");
    const four = shop.open();
    await four.read("/");
    const after = await shop.counts();
    const grown = Object.keys(EXPECTED_GROWTH).map((name) => [
      name,
      (after[name] ?? 0) - (before[name] ?? 0),
    ]);
    expect(Object.fromEntries(grown)).toEqual(EXPECTED_GROWTH);
    expect(after.requests_per_session).toBeCloseTo(
      Number(after.total_requests) / after.total_sessions,
    );
  });

  it("lets the administrator see and end everybody, and nobody else", async () => {
    const [admin, alice, bob] = [
      await shop.openSignedIn("admin"),
      await shop.openSignedIn("alice"),
      await shop.openSignedIn("bob"),
    ];
    const { id } = await sessionOf(bob);
    for (const stranger of [alice, shop.open()]) {
      expect((await stranger.request("/admin")).status).toBe(403);
      expect((await stranger.request(`/admin/timeline?id=${id}`)).status).toBe(403);
      expect((await stranger.post("/admin/end", { id })).status).toBe(403);
      const detail = `/v1/sessions/detail?session_id=${id}`;
      expect((await stranger.request(detail, { headers: FROM_ELSEWHERE })).status).toBe(404);
      expect(
        (await stranger.request("/v1/sessions/metrics", { headers: FROM_ELSEWHERE })).status,
      ).toBe(403);
    }
    const headers = FROM_ELSEWHERE;
    const listed = await admin.json("/v1/sessions?user_id=bob", { headers });
    expect(listed).toMatchObject({
      sessions: expect.arrayContaining([expect.objectContaining({ id })]),
    });
    expect(await admin.json("/v1/sessions/metrics", { headers })).toMatchObject({ success: true });
    const page = await admin.read("/admin?q=bo");
    expect(page).toContain(`value="${id}"`);
    expect(await admin.read(`/admin/timeline?id=${id}`)).toContain("/sign-in");
    expect((await admin.request("/admin/timeline?id=unknown")).status).toBe(404);
    expect((await admin.post("/admin/end", { id })).status).toBe(303);
    expect(await bob.read("/")).toContain("You have no session at the moment");
    expect(await admin.read("/admin?q=bo&status=all")).toContain(">revoked<");
    expect((await admin.post("/admin/end", { id })).status).toBe(404);
  });

  it("finishes what is under way on SIGTERM, takes nothing new, and exits with 0", async () => {
    const { active_sessions: before = 0 } = await shop.counts();
    const slow = shop.open().request("/slow");
    // Its new session says that the request has arrived.
    await expect.poll(async () => (await shop.counts()).active_sessions).toBe(before + 1);
    const code = program.stop("SIGTERM");
    expect((await slow).status).toBe(200);
    expect(await code).toBe(0);
    await expect(fetch(program.url)).rejects.toThrow();
  });
});
