import { expect } from "vitest";
import type { Seen } from "../browser.ts";
import { type AdapterCase, inTopic } from "../harness.ts";

/** What a client writes who wants to be somebody else. */
const SPOOFED = { headers: { "X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8" } };

export const clientCases: readonly AdapterCase[] = inTopic("client", [
  {
    name: "the address is the peer's, whatever a client writes into X-Forwarded-For (R-47)",
    async run(bench) {
      const app = await bench.start();
      const { id, ipAddress } = await app.newcomer().read(SPOOFED);
      expect(ipAddress).toBe("127.0.0.1");
      expect((await app.manager.get(id))?.ipAddress).toBe("127.0.0.1");
    },
  },
  {
    name: "behind a trusted proxy the address is the nearest one that is not trusted (R-47, R-48)",
    async run(bench) {
      const app = await bench.start({ config: { trustProxy: ["127.0.0.1"] } });
      const headers = { "X-Forwarded-For": "198.51.100.1, ::ffff:203.0.113.7" };
      expect((await app.newcomer().read({ headers })).ipAddress).toBe("203.0.113.7");
      const lines = { "X-Forwarded-For": ["198.51.100.1", "203.0.113.9"] };
      expect((await app.newcomer().read({ headers: lines })).ipAddress).toBe("203.0.113.9");
    },
  },
  {
    name: "the user agent is kept, cut at 512 characters",
    async run(bench) {
      const app = await bench.start();
      const userAgent = "Agent/1.0 ".repeat(100);
      const { id } = await app.newcomer().read({ headers: { "User-Agent": userAgent } });
      expect((await app.manager.get(id))?.userAgent).toBe(userAgent.slice(0, 512));
    },
  },
  {
    name: "requests that share a connection do not share a session",
    async run(bench) {
      const app = await bench.start();
      const client = app.client(1);
      const visitors = await Promise.all(
        ["ann", "bob", "eve"].map((userId) => app.visitor({ userId })),
      );
      for (let round = 0; round < 5; round++) {
        for (const { browser, id } of visitors) {
          const headers = { Cookie: browser.cookie ?? "" };
          expect((await client.ask("/read", { headers })).json<Seen>().id).toBe(id);
        }
        const { isNew, userId, data } = (await client.ask("/read")).json<Seen>();
        expect({ isNew, userId, data }).toEqual({ isNew: true, userId: null, data: {} });
      }
    },
  },
  {
    name: "many clients at once, on connections that are kept alive, each read what is their own",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const shared = app.client(8);
      const visitors = await Promise.all(
        Array.from({ length: 40 }, (_, n) => app.visitor({ userId: `user-${n}`, metadata: { n } })),
      );
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(
          visitors.map(({ browser }) =>
            shared.ask("/read", { headers: { Cookie: browser.cookie ?? "" } }),
          ),
        );
        const expected = visitors.map(({ id }, n) => ({ id, userId: `user-${n}`, data: { n } }));
        expect(answers.map((answer) => answer.json())).toMatchObject(expected);
        expect(answers.flatMap((answer) => answer.setCookies)).toEqual([]);
      }
    },
  },
]);
