import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/memory/memory-store.ts";
import type { Session } from "../src/session.ts";
import type { Bag } from "./support/browser.ts";
import { FailingStore } from "./support/failing-store.ts";
import { Client } from "./support/fetch-client.ts";
import { GatedStore } from "./support/gated-store.ts";
import { failureOf } from "./support/world.ts";

describe("the answer of a wrapped handler", () => {
  it("gets the cookie where its headers are immutable: a redirect", async () => {
    const response = await new Client().send(() =>
      Response.redirect("https://shop.example/login", 303),
    );
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("https://shop.example/login");
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("keeps its own cookies, headers and status text", async () => {
    const response = await new Client().send(() => {
      const answer = new Response("made", {
        status: 201,
        statusText: "Made",
        headers: { "x-own": "1" },
      });
      answer.headers.append("set-cookie", "a=1");
      answer.headers.append("set-cookie", "b=2");
      return answer;
    });
    expect(response).toMatchObject({ status: 201, statusText: "Made" });
    expect(response.headers.get("x-own")).toBe("1");
    expect(response.headers.getSetCookie().slice(0, 2)).toEqual(["a=1", "b=2"]);
    expect(response.headers.getSetCookie()).toHaveLength(3);
    expect(await response.text()).toBe("made");
  });

  it("is in the timeline with its size and duration", async () => {
    const client = new Client();
    const response = await client.send(() => {
      client.world.clock.advance(25);
      return new Response("zwölf Zeichen".repeat(1000));
    }, "/report?x=1");
    expect((await response.text()).length).toBe(13_000);
    expect(await client.entry()).toMatchObject({
      endpoint: "/report",
      method: "GET",
      statusCode: 200,
      duration: 25,
      responseSize: 14_000,
    });
  });

  it("keeps its announced length, and is in the timeline when it has been read", async () => {
    const client = new Client();
    const response = await client.send(
      () => new Response("12345", { headers: { "content-length": "5" } }),
    );
    expect(response.headers.get("content-length")).toBe("5");
    expect(await response.text()).toBe("12345");
    expect(await client.entry()).toMatchObject({ responseSize: 5 });
  });

  it("of announced length may change the session until its last byte, which waits for the store", async () => {
    const gates = new GatedStore(memoryStore());
    const client = new Client({ store: gates.store });
    await client.send(() => new Response());
    const steps: (() => void)[] = [];
    const response = await client.send((_request, session) => {
      steps.push(
        () => session.set("progress", 50),
        () => session.set("progress", 100),
      );
      const body = streamOf(["one", "two", "six"], undefined, () => steps.shift()?.());
      return new Response(body, { headers: { "content-length": "9" } });
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.read();
    const commit = gates.hold("commit");
    let isOver = false;
    const last = reader?.read().then((chunk) => {
      isOver = true;
      return chunk;
    });
    await commit.arrived;
    expect(isOver).toBe(false);
    commit.release();
    expect(new TextDecoder().decode((await last)?.value)).toBe("six");
    expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ progress: 100 });
    await reader?.read();
    expect(await client.entry()).toMatchObject({ statusCode: 200, responseSize: 9 });
    expect(client.world.events("lost-write")).toEqual([]);
  });

  for (const [title, handler, status, method] of [
    ["without a body", () => new Response(null, { status: 204 }), 204, "DELETE"],
    [
      "to a HEAD request",
      () => new Response("body", { headers: { "content-length": "4" } }),
      200,
      "HEAD",
    ],
    ["that says not modified", () => new Response(null, { status: 304 }), 304, "GET"],
  ] as const) {
    it(`${title} is in the timeline at once, with the size 0`, async () => {
      const client = new Client();
      const response = await client.send(handler, "/", { method });
      expect(response.status).toBe(status);
      expect(await client.entry()).toMatchObject({ statusCode: status, responseSize: 0 });
    });
  }

  it("ends in the timeline when its stream has been read to the end", async () => {
    const client = new Client();
    const response = await client.send(() => new Response(streamOf(["one", "two", "three"])));
    expect(await client.entry()).toBeUndefined();
    client.world.clock.advance(500);
    expect(await response.text()).toBe("onetwothree");
    expect(await client.entry()).toMatchObject({ responseSize: 11, duration: 500 });
  });

  it("ends in the timeline when nobody wants its stream any more, and the source is told", async () => {
    const client = new Client();
    const reasons: unknown[] = [];
    const response = await client.send(
      () => new Response(streamOf(["one", "two"], (reason) => reasons.push(reason))),
    );
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel("gone");
    expect(reasons).toEqual(["gone"]);
    expect(await client.entry()).toMatchObject({ statusCode: 200, responseSize: 3 });
  });

  it("ends in the timeline when its stream fails, and the client hears of it", async () => {
    const client = new Client();
    const response = await client.send(
      () => new Response(failingStream(new Error("disk on fire"))),
    );
    await expect(response.text()).rejects.toThrow("disk on fire");
    expect(await client.entry()).toMatchObject({ statusCode: 200, responseSize: 3 });
  });

  for (const [title, consume] of [
    ["is read to the end", (response: Response) => response.text()],
    ["is given up", (response: Response) => response.body?.cancel()],
  ] as const) {
    it(`stores what was changed while it streamed, when it ${title}`, async () => {
      const client = new Client();
      await client.send(() => new Response());
      let session: Session<Bag> | undefined;
      const response = await client.send((_request, current) => {
        session = current;
        return new Response(streamOf(["one", "two"]));
      });
      session?.set("progress", 100);
      await consume(response);
      expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ progress: 100 });
      expect(client.world.events("lost-write")).toEqual([]);
    });
  }

  it("stores what was changed while it streamed, when the stream fails", async () => {
    const client = new Client();
    await client.send(() => new Response());
    const response = await client.send((_request, session) => {
      queueMicrotask(() => session.set("progress", 50));
      return new Response(failingStream(new Error("disk on fire")));
    });
    await expect(response.text()).rejects.toThrow("disk on fire");
    expect((await client.world.manager.list()).items[0]?.metadata).toEqual({ progress: 50 });
  });

  it("breaks off where the changes of its stream could not be stored", async () => {
    const failing = new FailingStore(memoryStore());
    const client = new Client({ store: failing.store });
    await client.send(() => new Response());
    let session: Session<Bag> | undefined;
    const response = await client.send((_request, current) => {
      session = current;
      return new Response(streamOf(["one"]));
    });
    session?.set("progress", 100);
    failing.fail("rejects", "commit");
    expect(await failureOf(response.text())).toMatchObject({ code: "STORE_UNAVAILABLE" });
    failing.recover();
    expect(await client.entry()).toMatchObject({ responseSize: 3 });
    expect(client.world.events("lost-write")).toHaveLength(1);
  });
});

function streamOf(
  chunks: readonly string[],
  onCancel: (reason: unknown) => void = () => undefined,
  onPull: () => void = () => undefined,
): ReadableStream {
  const encoder = new TextEncoder();
  const left = [...chunks];
  return new ReadableStream(
    {
      pull(controller) {
        onPull();
        const chunk = left.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(encoder.encode(chunk));
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

function failingStream(cause: Error): ReadableStream {
  let isFirst = true;
  return new ReadableStream(
    {
      pull(controller) {
        if (!isFirst) throw cause;
        isFirst = false;
        controller.enqueue(new TextEncoder().encode("one"));
      },
    },
    { highWaterMark: 0 },
  );
}
