import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "../../demo/test/browser.ts";
import { freePort, type Program, startProgram } from "../../demo/test/program.ts";
import { clientEnvironment, type Provider, startProvider } from "./provider.ts";

const FOLDER = new URL("..", import.meta.url);

describe.each([
  { name: "a strict session cookie and a cookie for the flow", script: "start", isStrict: true },
  {
    name: "a lax session cookie and the flow in the session",
    script: "start:lax",
    isStrict: false,
  },
])("OpenID Connect with $name", ({ script, isStrict }) => {
  let provider: Provider;
  let program: Program;
  let browser: Browser;

  beforeAll(async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    provider = await startProvider([`${origin}/callback`]);
    const env = { ...clientEnvironment(provider.issuer), PORT: String(port), PUBLIC_URL: origin };
    program = await startProgram(FOLDER, env, script);
  }, 60_000);
  afterAll(async () => {
    await program.stop();
    await provider.close();
  });
  beforeEach(() => {
    browser = new Browser(program.url);
    provider.subject = "alice";
    provider.confuseNonce = false;
  });

  /** Follows the way to the provider; answers where the provider sends the browser back to. */
  async function goToProvider(): Promise<string> {
    const away = await browser.request("/sign-in");
    expect(away.status).toBe(303);
    const back = await browser.request(location(away), { crossSite: true });
    expect(back.status).toBe(302);
    return location(back);
  }

  it("R-16: signs in on a callback that another site causes", async () => {
    expect(await browser.read("/")).toBe("Signed in as nobody\n");
    const before = browser.cookie();
    const callback = await browser.request(await goToProvider(), { crossSite: true });
    expect(callback.status).toBe(isStrict ? 200 : 303);
    const cookie = callback.headers
      .getSetCookie()
      .find((line) => line.startsWith("kyb_session_id="));
    expect(cookie).toContain(isStrict ? "SameSite=Strict" : "SameSite=Lax");
    expect(browser.cookie()).not.toBe(before);
    // The strict variant's page goes on by itself, and the lax one's redirect still counts as the provider's.
    expect(await browser.read("/", { crossSite: !isStrict })).toBe("Signed in as alice\n");
  });

  it(
    isStrict
      ? "makes a fresh session, because the anonymous one did not come along"
      : "keeps the id of the anonymous session and gives it a new secret",
    async () => {
      await browser.read("/");
      const [id, secret] = browser.cookie()?.split(".") ?? [];
      await browser.request(await goToProvider(), { crossSite: true });
      const [newId, newSecret] = browser.cookie()?.split(".") ?? [];
      expect(newId === id).toBe(!isStrict);
      expect(newSecret).not.toBe(secret);
    },
  );

  it("lets another user sign in in the same browser", async () => {
    await browser.request(await goToProvider(), { crossSite: true });
    provider.subject = "bob";
    await browser.request(await goToProvider(), { crossSite: true });
    expect(await browser.read("/")).toBe("Signed in as bob\n");
  });

  it("refuses an answer that this browser did not ask for", async () => {
    const stolen = await goToProvider();
    const victim = new Browser(program.url);
    const response = await victim.request(stolen, { crossSite: true });
    expect(response.status).toBe(400);
    expect(await victim.read("/")).toBe("Signed in as nobody\n");
  });

  it("refuses an answer to another flow of this browser", async () => {
    const old = await goToProvider();
    await goToProvider();
    expect((await browser.request(old, { crossSite: true })).status).toBe(400);
    expect(await browser.read("/")).toBe("Signed in as nobody\n");
  });

  it("refuses an id token with the nonce of another flow", async () => {
    provider.confuseNonce = true;
    const response = await browser.request(await goToProvider(), { crossSite: true });
    expect(response.status).toBe(400);
    expect(await browser.read("/")).toBe("Signed in as nobody\n");
  });

  it("refuses the same answer a second time", async () => {
    const callback = await goToProvider();
    await browser.request(callback, { crossSite: true });
    expect((await browser.request(callback, { crossSite: true })).status).toBe(400);
    expect(await browser.read("/")).toBe("Signed in as alice\n");
  });
});

function location(response: Response): string {
  return response.headers.get("location") ?? "";
}
