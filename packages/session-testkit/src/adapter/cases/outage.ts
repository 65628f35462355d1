import { SessionError } from "@kyb/session-core";
import { expect } from "vitest";
import type { AdapterBench, App, AppOptions } from "../bench.ts";
import type { Answer } from "../client.ts";
import type { StoreOperation } from "../gated-store.ts";
import { type AdapterCase, inTopic } from "../harness.ts";
import { errorReply, repliesOf } from "../replies.ts";
import { stream, text } from "../reply.ts";
import { parameters } from "../routes.ts";

const FAULTS = ["throws", "hangs"] as const;

/** What a store says of itself where nobody could look. */
const CODES = ["STORE_MISCONFIGURED", "RECORD_UNREADABLE"] as const;

/** Bodies whose beginning may be on its way when the store is asked; they cannot be taken back then. */
const STREAMS: readonly string[] = ["stream", "pipe"];

/** An application whose store can be broken, and that does not wait long for a store that hangs. */
function withStore(bench: AdapterBench, options: AppOptions = {}): Promise<App> {
  const config = { storeTimeout: 20, ...options.config };
  return bench.start({ onError: errorReply, ...options, store: "gated", config });
}

function expectUnavailable(answer: Answer, code = "STORE_UNAVAILABLE"): void {
  expect(answer.status).toBe(503);
  expect(answer.text).toBe(`handled ${code}`);
  expect(answer.setCookies).toEqual([]);
}

function eachFault(
  make: (fault: (typeof FAULTS)[number]) => Omit<AdapterCase, "topic">,
): readonly Omit<AdapterCase, "topic">[] {
  return FAULTS.map(make);
}

export const outageCases: readonly AdapterCase[] = inTopic("outage", [
  ...eachFault((fault) => ({
    name: `a store that ${fault} at open: 503 and no handler, never an empty session, never a cookie (R-77)`,
    async run(bench) {
      let runs = 0;
      const app = await withStore(bench, {
        routes: {
          "/": async () => {
            runs += 1;
            return text("served");
          },
        },
      });
      const { browser, id } = await app.visitor({ userId: "ann", metadata: { a: 1 } });
      app.store.break("find", fault);
      expectUnavailable(await browser.ask("/"));
      app.store.repair();
      app.store.break("create", fault);
      expectUnavailable(await app.newcomer().ask("/"));
      expect(runs).toBe(0);
      app.store.repair();
      expect(await browser.read()).toMatchObject({ id, userId: "ann", data: { a: 1 } });
    },
  })),
  ...CODES.map(
    (code) =>
      ({
        name: `a store that answers ${code} is as good as down: 503 and no handler, or a handler that is told, and never a cookie (R-72, R-77)`,
        async run(bench) {
          for (const onStoreError of ["fail", "unavailable"] as const) {
            const app = await withStore(bench, { config: { onStoreError } });
            const { browser, id } = await app.visitor({ userId: "ann" });
            app.store.break("find", new SessionError(code, "The store's own words."));
            const answer = await browser.ask("/read");
            if (onStoreError === "fail") expectUnavailable(answer, code);
            else expect(answer.json()).toMatchObject({ state: "unavailable", userId: null });
            expect(answer.setCookies).toEqual([]);
            app.store.repair();
            expect(await browser.read()).toMatchObject({ id, userId: "ann" });
          }
        },
      }) satisfies Omit<AdapterCase, "topic">,
  ),
  ...eachFault((fault) => ({
    name: `a store that ${fault} at commit: 503 instead of what the handler answered, or a stream that is cut off, and the cookie stays as it is (R-79)`,
    async run(bench) {
      const replies = repliesOf();
      const app = await withStore(bench, {
        routes: {
          "/": async (context) => {
            context.session.set("a", 2);
            return replies(parameters(context).get("kind"));
          },
        },
      });
      const { browser, id } = await app.visitor({ metadata: { a: 1 } });
      for (const kind of replies.kinds) {
        app.store.break("commit", fault);
        const exchange = browser.send(`/?kind=${kind}`);
        const isCutOff = STREAMS.includes(kind) && (await exchange.isCutOff());
        if (!isCutOff) {
          const answer = await exchange.answer();
          expect(answer.status, kind).toBe(503);
          expectUnavailable(answer);
          expect(answer.get("location")).toBeUndefined();
        }
        app.store.repair();
        expect(await browser.read(), kind).toMatchObject({ id, data: { a: 1 } });
      }
    },
  })),
  ...eachFault((fault) => ({
    name: `a store that ${fault} at sign-in and at sign-out: 503, nobody is signed in or out, and the old cookie goes on (R-79)`,
    async run(bench) {
      const app = await withStore(bench);
      const { browser, id } = await app.visitor();
      const failing = async (operation: StoreOperation, path: string) => {
        app.store.break(operation, fault);
        expectUnavailable(await browser.ask(path));
        app.store.repair();
      };
      await failing("commit", "/sign-in");
      expect(await browser.read()).toMatchObject({ id, userId: null });
      await failing("end", "/sign-out");
      expect(await browser.read()).toMatchObject({ id, state: "ok" });
    },
  })),
  ...eachFault((fault) => ({
    name: `a store that ${fault} when the timeline is written: no request fails or waits of it (R-46)`,
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser, id } = await app.visitor();
      await browser.ask("/quiet");
      await app.timeline(id, 1);
      const calls = app.store.calls("track");
      app.store.break("track", fault);
      expect((await browser.ask("/set?a=1")).status).toBe(200);
      expect((await browser.ask("/sign-in")).status).toBe(200);
      await app.eventually(async () => expect(app.store.calls("track")).toBe(calls + 2));
      app.store.repair();
      await app.eventually(async () => expect(app.heard("tracking-dropped")).toHaveLength(2));
      await browser.ask("/quiet");
      const endpoints = (await app.timeline(id, 2)).map(({ endpoint }) => endpoint);
      expect(endpoints).toEqual(["/quiet", "/quiet"]);
    },
  })),
  {
    name: "without error handling of the application's own an outage is answered 503 with Retry-After, at open and at commit",
    needs: "default error handling",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser } = await app.visitor();
      for (const operation of ["find", "commit"] as const) {
        app.store.break(operation, "throws");
        const answer = await browser.ask("/set?a=1");
        expect(answer.status, operation).toBe(503);
        expect(answer.get("retry-after"), operation).toBe("1");
        expect(answer.setCookies, operation).toEqual([]);
        app.store.repair();
      }
    },
  },
  {
    name: "what kept a change from being stored reaches the application's error handling once",
    async run(bench) {
      const caught: unknown[] = [];
      const app = await withStore(bench, {
        onError: (error) => {
          caught.push(error);
          return errorReply(error);
        },
      });
      const { browser } = await app.visitor();
      app.store.break("commit", "throws");
      expectUnavailable(await browser.ask("/set?a=1"));
      await app.fence();
      expect(caught).toMatchObject([{ code: "STORE_UNAVAILABLE" }]);
    },
  },
  {
    name: "a store that answers late at open and at commit is waited for",
    async run(bench) {
      const app = await bench.start({ store: "gated" });
      const { browser, id } = await app.visitor({ metadata: { a: 1 } });
      for (const operation of ["find", "commit"] as const) {
        const gate = app.store.hold(operation);
        const exchange = browser.send(`/set?${operation}=1`);
        await gate.reached();
        await app.fence();
        expect(exchange.isOver).toBe(false);
        gate.open();
        expect((await exchange.answer()).text).toBe("stored");
      }
      expect(await app.data(id)).toEqual({ a: 1, find: "1", commit: "1" });
    },
  },
  {
    name: "a store that fails after the headers have left: the response is cut off, never completed (R-79)",
    async run(bench) {
      const gate = bench.gate();
      const app = await withStore(bench, {
        routes: {
          "/": async ({ session }) =>
            stream(async (write) => {
              await write("first");
              await gate.pass();
              session.set("a", 1);
              await write("last");
            }),
        },
      });
      const { browser, id } = await app.visitor();
      const exchange = browser.send("/");
      await exchange.received("first");
      app.store.break("commit", "throws");
      gate.open();
      expect(await exchange.isCutOff()).toBe(true);
      app.store.repair();
      expect(await app.data(id)).toEqual({});
      expect((await browser.ask("/quiet")).status).toBe(200);
    },
  },
  {
    name: "with onStoreError: 'unavailable' the handler runs and is told, no cookie is touched, and what stores something answers 503 (R-77)",
    async run(bench) {
      const app = await withStore(bench, { config: { onStoreError: "unavailable" } });
      const { browser, id } = await app.visitor({ userId: "ann" });
      app.store.break("find", "throws");
      const answer = await browser.ask("/read");
      expect(answer.status).toBe(200);
      expect(answer.json()).toMatchObject({ state: "unavailable", userId: null });
      expect(answer.setCookies).toEqual([]);
      for (const path of ["/set?a=1", "/sign-in", "/sign-out"]) {
        expectUnavailable(await browser.ask(path));
      }
      app.store.repair();
      expect(await browser.read()).toMatchObject({ id, userId: "ann" });
      expect(await app.data(id)).toEqual({});
    },
  },
  {
    name: "a full store serves newcomers without a session, and what stores something answers 503 (R-80)",
    async run(bench) {
      const app = await bench.start({ config: { maxSessions: 1 }, onError: errorReply });
      const { browser } = await app.visitor({ userId: "ann" });
      const answer = await app.newcomer().ask("/read");
      expect(answer.json()).toMatchObject({ state: "unsaved", id: "" });
      expect(answer.setCookies).toEqual([]);
      for (const path of ["/set?a=1", "/sign-in"]) {
        const refused = await app.newcomer().ask(path);
        expect(refused.status).toBe(503);
        expect(refused.text).toBe("handled STORE_FULL");
      }
      expect((await browser.read()).userId).toBe("ann");
    },
  },
]);
