import { existsSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { SessionManager, session } from "@kyb/session-express";
import express from "express";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const executablePath = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));

if (executablePath === undefined) {
  const message =
    "Chromium was not found: the browser tests did not run. Install it (Debian: apt-get install chromium), " +
    "or name it in CHROMIUM.";
  if (process.env.CI !== undefined) throw new Error(message);
  console.warn(message);
}

describe.skipIf(executablePath === undefined)("in Chromium, over https", () => {
  let browser: Browser;
  let context: BrowserContext;
  let shop: Site;
  let elsewhere: Site;
  let manager: SessionManager;

  beforeAll(async () => {
    // localhost and 127.0.0.1 are two sites to a browser.
    const certificate = await generate([{ name: "commonName", value: "localhost" }]);
    const tls = { key: certificate.private, cert: certificate.cert };
    manager = new SessionManager();
    shop = await listen(tls, "localhost", shopApp(manager));
    elsewhere = await listen(
      tls,
      "127.0.0.1",
      linkApp(() => shop.origin),
    );
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
      ], // biome-ignore format: a list of flags
    });
    context = await browser.newContext({ ignoreHTTPSErrors: true });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    await elsewhere?.close();
    await manager?.close();
  });

  it("the cookie is __Host-kyb_session_id, Secure, HttpOnly and Strict, for the whole host (R-11)", async () => {
    const page = await context.newPage();
    await page.goto(`${shop.origin}/sign-in`);
    const cookies = await context.cookies(shop.origin);
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatchObject({
      name: "__Host-kyb_session_id",
      domain: "localhost",
      path: "/",
      secure: true,
      httpOnly: true,
      sameSite: "Strict",
      expires: -1,
    });
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await page.close();
  });

  it("who is signed in and follows a link from another site is still signed in (R-16, F-60)", async () => {
    const page = await context.newPage();
    await page.goto(`${shop.origin}/sign-in`);
    await page.goto(`${shop.origin}/`);
    expect(await page.textContent("body")).toBe("alice");
    const before = await context.cookies(shop.origin);

    await page.goto(elsewhere.origin);
    await page.click("a");
    await page.waitForURL(`${shop.origin}/`);
    // The browser withheld the Strict cookie: that this request was not recognised shows that the test is real.
    expect(await page.textContent("body")).toBe("nobody, unsaved");
    expect(await context.cookies(shop.origin)).toEqual(before);

    await page.goto(`${shop.origin}/`);
    expect(await page.textContent("body")).toBe("alice");
    await page.close();
  });

  it("an image of the page makes no session and sets no cookie (R-16)", async () => {
    const fresh = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await fresh.newPage();
    await page.goto(`${elsewhere.origin}/image`);
    await page.waitForLoadState("networkidle");
    expect(await fresh.cookies()).toEqual([]);
    await fresh.close();
  });
});

interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

function shopApp(manager: SessionManager): express.Express {
  const app = express();
  app.use(session(manager));
  app.get("/sign-in", async (req, res) => {
    await req.session.signIn("alice");
    res.send("signed in");
  });
  app.get("/", (req, res) => {
    res.send(req.session.userId ?? `nobody, ${req.session.state}`);
  });
  return app;
}

function linkApp(target: () => string): express.Express {
  const app = express();
  app.get("/", (_req, res) => {
    res.send(`<a href="${target()}/">to the shop</a>`);
  });
  app.get("/image", (_req, res) => {
    res.send(`<img alt="" src="${target()}/picture">`);
  });
  return app;
}

async function listen(
  tls: { key: string; cert: string },
  host: string,
  app: express.Express,
): Promise<Site> {
  const server: Server = createServer(tls, app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://${host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.closeAllConnections();
        server.close((error) => (error === undefined ? resolve() : reject(error)));
      }),
  };
}
