import { expect } from "vitest";
import { type AdapterCase, type FetchHandler, inTopic, type Layer } from "../harness.ts";
import { errorReply } from "../replies.ts";

/** `mount` behind `session()`, and without it. */
const PLACES = ["behind session()", "without session()"] as const;

function layers(place: (typeof PLACES)[number], handler: FetchHandler): readonly Layer[] {
  const mounted: Layer = { kind: "mount", handler };
  return place === "behind session()" ? [{ kind: "session" }, mounted] : [mounted];
}

/** Answers whatever is below `/mounted`. */
function below(answer: (request: Request) => Response | Promise<Response>): FetchHandler {
  return (request) =>
    new URL(request.url).pathname.startsWith("/mounted") ? answer(request) : undefined;
}

export const mountCases: readonly AdapterCase[] = inTopic("mount", [
  ...PLACES.flatMap((place): readonly Omit<AdapterCase, "topic">[] => [
    {
      name: `several Set-Cookie lines of a fetch handler arrive as several, in order (${place}; R-15)`,
      async run(bench) {
        const cookies = ["b=2; Path=/", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT"];
        const handler = below(() => {
          const response = new Response("done", { status: 201 });
          for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
          return response;
        });
        const app = await bench.start({ layers: layers(place, handler) });
        const answer = await app.newcomer().ask("/mounted");
        expect(answer).toMatchObject({ status: 201, text: "done" });
        const isSession = (line: string) => line.startsWith("kyb_session_id=");
        expect(answer.setCookies.filter((line) => !isSession(line))).toEqual(cookies);
        const sessions = answer.setCookies.filter(isSession);
        expect(sessions).toHaveLength(place === "behind session()" ? 1 : 0);
      },
    },
    {
      name: `events of a fetch handler arrive while it goes on, and it hears when the client leaves (${place})`,
      async run(bench) {
        const gate = bench.gate();
        let isCancelled = false;
        const handler = below(() => {
          const event = (n: number) => new TextEncoder().encode(`data: ${n}\n\n`);
          const body = new ReadableStream<Uint8Array>({
            async start(controller) {
              controller.enqueue(event(1));
              await gate.pass();
              controller.enqueue(event(2));
            },
            cancel() {
              isCancelled = true;
            },
          });
          return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
        });
        const app = await bench.start({ layers: layers(place, handler) });
        const exchange = app.newcomer().send("/mounted");
        expect((await exchange.head()).get("content-type")).toBe("text/event-stream");
        await exchange.received("data: 1");
        gate.open();
        await exchange.received("data: 2");
        exchange.abort();
        await app.eventually(async () => expect(isCancelled).toBe(true));
      },
    },
  ]),
  {
    name: "a fetch handler gets the request as it was: method, whole URL, headers and body, also behind a body parser",
    async run(bench) {
      const handler = below(async (request) =>
        Response.json({
          method: request.method,
          url: request.url,
          header: request.headers.get("X-Test"),
          body: await request.text(),
        }),
      );
      const body = JSON.stringify({ ä: [1, null], nested: { a: "b" } });
      const ask = {
        method: "PUT",
        headers: { "Content-Type": "application/json", "X-Test": "one, two" },
        body,
      };
      const parser: Layer = { kind: "body-parser" };
      for (const before of [[], [parser]]) {
        const app = await bench.start({ layers: [...before, { kind: "mount", handler }] });
        const answer = await app.client().ask("/mounted/a%20b?c=d", ask);
        expect(answer.json()).toEqual({
          method: "PUT",
          url: `${app.origin}/mounted/a%20b?c=d`,
          header: "one, two",
          body,
        });
      }
    },
  },
  {
    name: "below a mount point a fetch handler still sees the whole URL",
    needs: "mount points",
    async run(bench) {
      const handler: FetchHandler = (request) => new Response(new URL(request.url).pathname);
      const app = await bench.start({ layers: [{ kind: "mount", at: "/inner", handler }] });
      expect((await app.client().ask("/inner/page?a=b")).text).toBe("/inner/page");
      expect((await app.client().ask("/outer")).status).toBe(404);
    },
  },
  {
    name: "what a fetch handler does not answer is passed on",
    async run(bench) {
      const handler = below(() => new Response("mounted"));
      const app = await bench.start({ layers: [{ kind: "mount", handler }, { kind: "session" }] });
      expect((await app.newcomer().ask("/quiet")).text).toBe("quiet");
      expect((await app.newcomer().ask("/quiet", { body: "posted" })).text).toBe("quiet");
      expect((await app.newcomer().ask("/nothing-here")).status).toBe(404);
    },
  },
  {
    name: "what a fetch handler throws goes to the application's error handling",
    async run(bench) {
      const handler = below(() => {
        throw new Error("out of paper");
      });
      const app = await bench.start({ layers: [{ kind: "mount", handler }], onError: errorReply });
      const answer = await app.client().ask("/mounted");
      expect(answer).toMatchObject({ status: 500, text: "handled out of paper" });
    },
  },
  {
    name: "a response whose headers cannot be changed, such as a redirect, carries the visitor's cookie all the same",
    async run(bench) {
      const handler = below((request) => Response.redirect(new URL("/read", request.url), 303));
      const app = await bench.start({ layers: layers("behind session()", handler) });
      const browser = app.newcomer();
      const answer = await browser.ask("/mounted");
      expect(answer).toMatchObject({ status: 303 });
      expect(answer.get("location")).toBe(`${app.origin}/read`);
      expect(answer.setCookies).toHaveLength(1);
      expect((await browser.read()).isNew).toBe(false);
    },
  },
  {
    name: "a fetch handler's answers stand in the timeline with their status and size, also to HEAD",
    async run(bench) {
      const handler = below(() => new Response("äöü", { status: 203 }));
      const app = await bench.start({ layers: [{ kind: "session" }, { kind: "mount", handler }] });
      const { browser, id } = await app.visitor();
      await browser.ask("/mounted");
      await browser.ask("/mounted", { method: "HEAD" });
      expect(await app.timeline(id, 2)).toMatchObject([
        { method: "GET", endpoint: "/mounted", statusCode: 203, responseSize: 6 },
        { method: "HEAD", endpoint: "/mounted", statusCode: 203, responseSize: 0 },
      ]);
    },
  },
]);
