import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { repliesOf } from "../replies.ts";
import { text } from "../reply.ts";
import { parameters } from "../routes.ts";

export const cachingCases: readonly AdapterCase[] = inTopic("caching", [
  {
    name: "a response that sets the session cookie is not stored by anybody, whatever its body is (R-82)",
    async run(bench) {
      const replies = repliesOf({ headers: { "Cache-Control": "public, max-age=60" } });
      const app = await bench.start({
        routes: { "/": async (context) => replies(parameters(context).get("kind")) },
      });
      for (const kind of replies.kinds) {
        const answer = await app.newcomer().ask(`/?kind=${kind}`);
        expect(answer.get("cache-control"), kind).toBe("no-store");
      }
    },
  },
  {
    name: "private is as good as no-store, and stays (R-82)",
    async run(bench) {
      const headers = { "Cache-Control": "private, max-age=60" };
      const app = await bench.start({ routes: { "/": async () => text("", { headers }) } });
      expect((await app.newcomer().ask("/")).get("cache-control")).toBe("private, max-age=60");
    },
  },
  {
    name: "a response that the session was read for varies with the cookie, beside what it varied with before (R-82)",
    async run(bench) {
      const app = await bench.start({
        routes: {
          "/": async ({ session }) =>
            text(String(session.userId), { headers: { Vary: "Accept-Encoding" } }),
        },
      });
      const { browser } = await app.visitor();
      const fields = (value = "") => value.toLowerCase().split(/\s*,\s*/);
      expect(fields((await browser.ask("/read")).get("vary"))).toContain("cookie");
      const both = fields((await browser.ask("/")).get("vary"));
      expect(both).toEqual(expect.arrayContaining(["accept-encoding", "cookie"]));
    },
  },
  {
    name: "a response that has nothing to do with the session stays as cacheable as it was (R-82)",
    async run(bench) {
      const headers = { "Cache-Control": "public, max-age=60" };
      const app = await bench.start({ routes: { "/": async () => text("", { headers }) } });
      const { browser } = await app.visitor();
      const answer = await browser.ask("/");
      expect(answer.get("cache-control")).toBe("public, max-age=60");
      expect(answer.get("vary") ?? "").not.toMatch(/cookie/i);
    },
  },
]);
