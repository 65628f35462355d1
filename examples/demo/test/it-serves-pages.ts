import { expect, it } from "vitest";
import { type Shop, sessionOf } from "./shop.ts";

/** Browsers send it to https and to this machine only. */
const OVER_HTTP = { "Sec-Fetch-Site": "" };

/** What the pages of the demo have in common, whoever visits them. */
export function itServesPages(shop: () => Shop): void {
  it("shows a visitor what the session knows", async () => {
    const browser = shop().open();
    const first = await browser.read("/");
    const { id } = await sessionOf(browser);
    expect(first).toContain(`<code>${id}</code>`);
    expect(first).toContain("not signed in");
    expect(first).toContain("<dt>Requests before this one</dt><dd>0</dd>");
    expect(first).toContain("127.0.0.1, Firefox 140 on Linux");
    expect(await browser.read("/")).toContain("<dt>Requests before this one</dt><dd>1</dd>");
  });

  it("serves pages that run no script and that nothing keeps", async () => {
    const response = await shop().open().request("/");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await response.text();
    expect(text).toContain('<html lang="en">');
    expect(text).not.toMatch(/<script|<style| style=| on\w+=/);
  });

  it("serves the style sheet without a visit", async () => {
    const browser = shop().open();
    const response = await browser.request("/style.css");
    expect(response.headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(browser.cookie()).toBeUndefined();
  });

  it("answers what is not a page with 404, what a page does not take with 405", async () => {
    expect((await shop().open().request("/nowhere")).status).toBe(404);
    const refused = await shop().open().request("/cart", { method: "DELETE" });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, HEAD, POST");
    const tooMuch = await shop()
      .open()
      .post("/cart", { product: "x".repeat(20_000) });
    expect(tooMuch.status).toBe(413);
  });

  it("does not know other users than its own", async () => {
    const browser = shop().open();
    expect((await browser.post("/sign-in", { user: "mallory" })).status).toBe(401);
    expect(await browser.read("/")).toContain("not signed in");
  });

  it("refuses forms that another site sends, so that nobody is signed in unawares", async () => {
    for (const headers of [
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { ...OVER_HTTP, Origin: "https://evil.example" },
      { ...OVER_HTTP, Origin: "null" },
    ]) {
      const browser = shop().open();
      const body = new URLSearchParams({ user: "alice" });
      const response = await browser.request("/sign-in", { method: "POST", headers, body });
      expect(response.status).toBe(403);
      expect(await browser.read("/")).toContain("not signed in");
    }
  });

  it("escapes what strangers send", async () => {
    const stranger = shop().open(`x"><script>alert(1)</script>`);
    const path = `/%3Cscript%3E`;
    await stranger.request(path);
    await stranger.read("/");
    const { id } = await sessionOf(stranger);
    const admin = await shop().openSignedIn("admin");
    const pages = [
      await admin.read("/admin"),
      await admin.read(`/admin/timeline?id=${id}`),
      await admin.read(`/admin?q=${encodeURIComponent('"><script>')}`),
      await stranger.read("/"),
    ];
    for (const page of pages) expect(page).not.toContain("<script");
    expect(pages[2]).toContain("&#34;&#62;&#60;script&#62;");
  });
}
