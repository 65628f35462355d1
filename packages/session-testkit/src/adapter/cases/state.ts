import { expect } from "vitest";
import { type AdapterCase, inTopic } from "../harness.ts";
import { repliesOf } from "../replies.ts";
import { redirect } from "../reply.ts";
import { parameters } from "../routes.ts";

/** Both kinds of store: one that answers at once, and one that answers later. */
const STORES = ["memory", "gated"] as const;

export const stateCases: readonly AdapterCase[] = inTopic("state", [
  ...STORES.map(
    (store) =>
      ({
        name: `after a redirect the next request always sees the new value (${store === "memory" ? "store in memory" : "asynchronous store"})`,
        async run(bench) {
          const app = await bench.start({
            store,
            routes: {
              "/order": async (context) => {
                context.session.set("order", parameters(context).get("number") ?? "");
                return redirect("/read");
              },
            },
          });
          const browser = app.newcomer();
          for (let number = 1; number <= 20; number++) {
            const { status } = await browser.ask(`/order?number=${number}`);
            expect(status).toBe(302);
            expect((await browser.read()).data).toEqual({ order: String(number) });
          }
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  ...repliesOf().kinds.map(
    (kind) =>
      ({
        name: `no response is complete before the store has acknowledged what changed (${kind}; R-79)`,
        async run(bench) {
          const replies = repliesOf();
          const app = await bench.start({
            store: "gated",
            routes: {
              "/": async ({ session }) => {
                session.set("a", 1);
                return replies(kind);
              },
            },
          });
          const { browser, id } = await app.visitor();
          const gate = app.store.hold("commit");
          const exchange = browser.send("/");
          await gate.reached();
          await app.fence();
          expect(exchange.isOver).toBe(false);
          gate.open();
          await exchange.answer();
          expect(await app.data(id)).toEqual({ a: 1 });
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "a request that changes nothing writes no state (R-28)",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser } = await app.visitor();
      await browser.ask("/read");
      await browser.ask("/quiet");
      expect(app.store.calls("commit")).toBe(0);
      expect(app.store.calls("find")).toBe(2);
    },
  },
  {
    name: "session() twice is session() once: one visit, one cookie, one line",
    async run(bench) {
      const layers = [{ kind: "session" }, { kind: "session" }] as const;
      const app = await bench.start({ store: "gated", layers });
      const newcomer = app.newcomer();
      const answer = await newcomer.ask("/set?a=1");
      expect(answer.setCookies).toHaveLength(1);
      const { id } = await newcomer.read();
      expect((await app.timeline(id, 2)).map(({ endpoint }) => endpoint)).toEqual([
        "/set",
        "/read",
      ]);
      expect(await app.count()).toBe(1);
      expect(app.store.calls("find")).toBe(1);
    },
  },
  {
    name: "several changes of one request are one write, or the handler asked for more",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser, id } = await app.visitor();
      await browser.ask("/set?a=1&b=2&c=3");
      expect(app.store.calls("commit")).toBe(1);
      expect(await app.data(id)).toEqual({ a: "1", b: "2", c: "3" });
    },
  },
  {
    name: "what save has stored is there for others while the handler goes on",
    async run(bench) {
      const gate = bench.gate();
      const app = await bench.start({
        store: "gated",
        routes: {
          "/": async ({ session }) => {
            session.set("a", 1);
            await session.save();
            await gate.pass();
            session.set("b", 2);
            return redirect("/read");
          },
        },
      });
      const { browser } = await app.visitor();
      const exchange = browser.send("/");
      await gate.reached();
      expect((await browser.read()).data).toEqual({ a: 1 });
      gate.open();
      await exchange.answer();
      expect((await browser.read()).data).toEqual({ a: 1, b: 2 });
    },
  },
]);
