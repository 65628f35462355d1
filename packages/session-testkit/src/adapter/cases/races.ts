import type { Session } from "@kyb/session-core";
import { expect } from "vitest";
import type { AdapterBench, App } from "../bench.ts";
import type { Gate } from "../gate.ts";
import { type AdapterCase, inTopic, type RouteContext } from "../harness.ts";
import { text } from "../reply.ts";
import { parameters } from "../routes.ts";

const WRITERS = 64;
/** Rounds of logout against a request that is under way; F-01. */
const ROUNDS = 200;

const STORES = ["memory", "gated"] as const;
const NAMES = { memory: "store in memory", gated: "asynchronous store" } as const;

/** 64 requests of one session, all in their handlers before the first one writes. */
async function race(
  bench: AdapterBench,
  store: (typeof STORES)[number],
  write: (context: RouteContext, n: number) => unknown,
): Promise<{ app: App; id: string }> {
  const gate = bench.gate(WRITERS);
  const app = await bench.start({
    store,
    routes: {
      "/": async (context) => {
        await gate.pass();
        await write(context, Number(parameters(context).get("n")));
        return text("written");
      },
    },
  });
  const { browser, id } = await app.visitor();
  const exchanges = Array.from({ length: WRITERS }, (_, n) => browser.send(`/?n=${n}`));
  await gate.reached();
  gate.open();
  for (const exchange of exchanges) expect((await exchange.answer()).text).toBe("written");
  return { app, id };
}

function items(cart: unknown): number[] {
  return Array.isArray(cart) ? cart : [];
}

export const raceCases: readonly AdapterCase[] = inTopic("races", [
  ...STORES.flatMap((store): readonly Omit<AdapterCase, "topic">[] => [
    {
      name: `${WRITERS} requests at once that write different keys lose nothing (${NAMES[store]}; F-02)`,
      async run(bench) {
        const { app, id } = await race(bench, store, ({ session }, n) =>
          session.set(`key-${n}`, n),
        );
        const expected = Array.from({ length: WRITERS }, (_, n) => [`key-${n}`, n]);
        expect(await app.data(id)).toEqual(Object.fromEntries(expected));
      },
    },
    {
      name: `${WRITERS} increments at once add up (${NAMES[store]}; F-03)`,
      async run(bench) {
        const { app, id } = await race(bench, store, ({ session }) => {
          // Data in which every key may hold anything has no key that is known to hold a number.
          (session as unknown as Session<{ n: number }>).increment("n");
        });
        expect(await app.data(id)).toEqual({ n: WRITERS });
      },
    },
    {
      name: `${WRITERS} updates of one cart at once all survive (${NAMES[store]}; F-02)`,
      async run(bench) {
        const { app, id } = await race(bench, store, ({ session }, n) =>
          session.update("cart", (cart) => [...items(cart), n]),
        );
        const { cart } = Object(await app.data(id));
        expect(items(cart).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: WRITERS }, (_, n) => n),
        );
      },
    },
    {
      name: `logout during a slow request that stores something stays logged out, ${ROUNDS} times (${NAMES[store]}; F-01)`,
      async run(bench) {
        let gate: Gate | undefined;
        const app = await bench.start({
          store,
          routes: {
            // Stores before and after, so that both what waits and what comes later meet the end.
            "/slow": async ({ session }) => {
              session.set("before", 1);
              await gate?.pass();
              if (session.state === "ok") session.set("after", 1);
              return text("served");
            },
          },
        });
        // One client for all rounds, because connections are what takes the time.
        const client = app.client();
        for (let round = 0; round < ROUNDS; round++) {
          gate = bench.gate();
          const { session, token } = await app.manager.create({ userId: "ann" });
          const { id } = session;
          const headers = { Cookie: `kyb_session_id=${token}` };
          const slow = client.send("/slow", { headers });
          await gate.reached();
          expect((await client.ask("/sign-out", { headers })).setCookies).toHaveLength(1);
          gate.open();
          expect((await slow.answer()).setCookies).toEqual([]);
          expect(await app.manager.get(id)).toMatchObject({
            isActive: false,
            endReason: "signed-out",
          });
          expect(await app.data(id)).toEqual({});
          const later = await client.ask("/read", { headers });
          expect(later.json()).toMatchObject({ id: "", userId: null });
        }
        expect((await app.manager.list({ status: "active" })).items).toEqual([]);
      },
    },
  ]),
  {
    name: "logout while another request's change is on its way to the store: the session stays ended (F-01)",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      for (let round = 0; round < 20; round++) {
        const { browser, id } = await app.visitor({ userId: "ann" });
        const gate = app.store.hold("commit");
        const slow = browser.send("/set?a=1");
        await gate.reached();
        await browser.ask("/sign-out");
        gate.open();
        const { status, setCookies } = await slow.answer();
        expect({ status, setCookies }).toEqual({ status: 200, setCookies: [] });
        expect(await app.manager.get(id)).toMatchObject({ endReason: "signed-out" });
        expect(await app.data(id)).toEqual({});
      }
      expect(app.heard("lost-write")).toHaveLength(20);
    },
  },
  ...["sign-in", "regenerate"].map(
    (change) =>
      ({
        name: `a request under way during ${change} gets no cookie and writes nothing into the session as it is then (F-04)`,
        async run(bench) {
          let gate: Gate | undefined;
          const app = await bench.start({
            store: "gated",
            routes: {
              "/slow": async ({ session }) => {
                await gate?.pass();
                session.set("planted", 1);
                return text(String(session.userId));
              },
            },
          });
          for (let round = 0; round < 20; round++) {
            gate = bench.gate();
            const { browser, id } = await app.visitor();
            const slow = browser.send("/slow");
            await gate.reached();
            await browser.ask(`/${change}`);
            gate.open();
            const answer = await slow.answer();
            expect(answer.setCookies).toEqual([]);
            expect(answer.text).toBe("undefined");
            const seen = await browser.read();
            expect({ id: seen.id, userId: seen.userId, data: seen.data }).toEqual({
              id,
              userId: change === "sign-in" ? "ann" : null,
              data: {},
            });
          }
          expect(app.heard("lost-write").map(({ reason }) => reason)).toEqual(
            Array(20).fill("superseded"),
          );
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  {
    name: "of two sign-ins at once from one browser only one gets the session, and the loser hears of it",
    async run(bench) {
      const gate = bench.gate(2);
      const app = await bench.start({
        store: "gated",
        routes: {
          "/": async (context) => {
            await gate.pass();
            await context.session.signIn(parameters(context).get("user") ?? "");
            return text("signed in");
          },
        },
        onError: () => text("refused", { status: 409 }),
      });
      const { browser, id } = await app.visitor();
      const exchanges = ["ann", "bob"].map((user) => browser.send(`/?user=${user}`));
      await gate.reached();
      gate.open();
      const answers = await Promise.all(exchanges.map((exchange) => exchange.answer()));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
      const winner = answers.findIndex(({ status }) => status === 200);
      expect(answers[1 - winner]?.setCookies).toEqual([]);
      const [answer] = answers.slice(winner);
      if (answer !== undefined) browser.keep(answer);
      expect(await browser.read()).toMatchObject({ id, userId: ["ann", "bob"][winner] });
    },
  },
]);
