import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, startProgram } from "../../demo/test/program.ts";
import { clientEnvironment, startProvider } from "./provider.ts";

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
if (executablePath === undefined) {
  console.warn(
    "Chromium was not found: the sign-in was not tried in a browser. Name it in CHROMIUM.",
  );
}

describe.skipIf(executablePath === undefined)("OpenID Connect in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  it.each([
    ["start", "Strict"],
    ["start:lax", "Lax"],
  ])(
    "R-16: %s signs in, with a session cookie that is %s",
    async (script, sameSite) => {
      // To a browser, localhost and 127.0.0.1 are two sites.
      const port = await freePort();
      const shop = `http://localhost:${port}`;
      const provider = await startProvider([`${shop}/callback`]);
      provider.asks = true;
      const env = { ...clientEnvironment(provider.issuer), PORT: String(port), PUBLIC_URL: shop };
      const program = await startProgram(new URL("..", import.meta.url), env, script);
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(`${shop}/`);
        expect(await page.textContent("body")).toBe("Signed in as nobody\n");
        await page.goto(`${shop}/sign-in`);
        expect(new URL(page.url()).origin).toBe(provider.issuer);
        const callback = page.waitForRequest((request) =>
          request.url().startsWith(`${shop}/callback`),
        );
        await page.click("a");
        // What makes the test real: the browser takes the callback for another site's.
        expect((await (await callback).allHeaders())["sec-fetch-site"]).toBe("cross-site");
        await page.waitForURL(`${shop}/`);
        expect(await page.textContent("body")).toBe("Signed in as alice\n");
        expect(await context.cookies(shop)).toMatchObject([{ name: "kyb_session_id", sameSite }]);
      } finally {
        await context.close();
        await program.stop();
        await provider.close();
      }
    },
    60_000,
  );
});
