import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "../../demo/test/browser.ts";
import { type Program, startProgram } from "../../demo/test/program.ts";

const PASSWORD = "correct horse battery staple";

describe("Passport's local strategy without Passport's sessions", () => {
  let program: Program;
  let browser: Browser;
  beforeAll(async () => {
    program = await startProgram(new URL("..", import.meta.url));
  }, 60_000);
  afterAll(() => program.stop());
  beforeEach(() => {
    browser = new Browser(program.url);
  });

  it.each([
    ["a wrong password", "alice", "wrong"],
    ["an unknown user", "mallory", PASSWORD],
  ])("answers 401 to %s and signs nobody in", async (_what, username, password) => {
    await browser.read("/");
    const before = browser.cookie();
    const response = await browser.post("/sign-in", { username, password });
    expect(response.status).toBe(401);
    expect(browser.cookie()).toBe(before);
    expect(await browser.read("/")).toBe("Signed in as nobody\n");
  });

  it("signs in with the right password and a new secret", async () => {
    await browser.read("/");
    const [id, secret] = browser.cookie()?.split(".") ?? [];
    const response = await browser.post("/sign-in", { username: "alice", password: PASSWORD });
    expect(response.status).toBe(303);
    const [newId, newSecret] = browser.cookie()?.split(".") ?? [];
    expect(newId).toBe(id);
    expect(newSecret).not.toBe(secret);
    expect(await browser.read("/")).toBe("Signed in as alice\n");
  });

  it("signs out for good", async () => {
    await browser.post("/sign-in", { username: "alice", password: PASSWORD });
    const ended = browser.cookie() ?? "";
    await browser.post("/sign-out");
    expect(browser.cookie()).toBeUndefined();
    const headers = { Cookie: `kyb_session_id=${ended}` };
    expect(await browser.read("/", { headers })).toBe("Signed in as nobody\n");
  });
});
