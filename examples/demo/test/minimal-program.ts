import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Browser, type Send } from "./browser.ts";
import { type Program, startProgram } from "./program.ts";

/** What the smallest programs have in common: they count visits and sign in and out, whatever the host. */
export function describeMinimalProgram(name: string, folder: URL): void {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram(folder);
  }, 60_000);
  afterAll(() => program.stop());
  describeVisits(name, folder, () => program.url);
}

/** The same for a handler that is called in this process. */
export function describeVisits(name: string, folder: URL, origin: () => string, send?: Send): void {
  const open = (): Browser => new Browser(origin(), send === undefined ? {} : { send });

  describe(`The smallest program: ${name}`, () => {
    it("fits on a screen: under 30 lines", () => {
      const lines = readFileSync(new URL("server.ts", folder), "utf8").trimEnd().split("\n");
      expect(lines.length).toBeLessThan(30);
    });

    it("counts the visits of each browser for itself", async () => {
      const [one, other] = [open(), open()];
      expect(await one.read("/")).toBe("Visit 1 of a stranger\n");
      expect(await one.read("/")).toBe("Visit 2 of a stranger\n");
      expect(await other.read("/")).toBe("Visit 1 of a stranger\n");
    });

    it("signs in with a new secret for the same session, and out for good", async () => {
      const browser = open();
      await browser.read("/");
      const [id, secret] = split(browser.cookie());
      const signedIn = await browser.post("/sign-in");
      expect([302, 303]).toContain(signedIn.status);
      const [newId, newSecret] = split(browser.cookie());
      expect(newId).toBe(id);
      expect(newSecret).not.toBe(secret);
      expect(await browser.read("/")).toBe("Visit 1 of alice\n");
      await browser.post("/sign-out");
      expect(browser.cookie()).toBeUndefined();
      expect(await browser.read("/")).toBe("Visit 1 of a stranger\n");
    });

    it("answers the management API for the caller's own session", async () => {
      const browser = open();
      await browser.post("/sign-in");
      const [id] = split(browser.cookie());
      expect(await browser.json("/v1/sessions/current")).toMatchObject({
        success: true,
        session: { id, user_id: "alice", is_active: true },
      });
    });
  });
}

function split(token = ""): string[] {
  return token.split(".");
}
