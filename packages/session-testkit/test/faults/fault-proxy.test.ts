import { connect, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually, PATIENCE, within } from "../../src/adapter/patience.ts";
import { FaultProxy } from "../../src/faults/index.ts";

/** A server that answers with what it hears, in one piece, and knows what it has heard. */
class Echo {
  readonly heard: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      this.heard.push(bytes.toString());
      socket.write(bytes);
    });
  });

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** A client that keeps what it gets, piece by piece, and how it ended. */
class Caller {
  readonly pieces: string[] = [];
  end: "end" | "reset" | undefined;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.socket.on("data", (bytes) => this.pieces.push(bytes.toString("latin1")));
    this.socket.on("end", () => {
      this.end ??= "end";
    });
    this.socket.on("error", () => {
      this.end = "reset";
    });
  }

  get got(): string {
    return this.pieces.join("");
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async hears(text: string): Promise<void> {
    await eventually(PATIENCE, async () => expect(this.got).toBe(text));
  }

  async ends(how: "end" | "reset"): Promise<void> {
    await eventually(PATIENCE, async () => expect(this.end).toBe(how));
  }
}

describe("the fault proxy", () => {
  let echo: Echo;
  let proxy: FaultProxy;
  const callers: Caller[] = [];

  beforeEach(async () => {
    echo = new Echo();
    proxy = await FaultProxy.open(await echo.listen());
  });

  afterEach(async () => {
    for (const { socket } of callers.splice(0)) socket.destroy();
    await proxy.close();
    await echo.close();
  });

  /** A connection that works. */
  async function call(): Promise<Caller> {
    const caller = new Caller(proxy.port);
    callers.push(caller);
    caller.say("hello ");
    await caller.hears("hello ");
    return caller;
  }

  it("passes everything on, in both directions, in order, to many at once", async () => {
    const several = await Promise.all(Array.from({ length: 20 }, () => call()));
    expect(proxy.connections).toBe(20);
    const text = "x".repeat(300_000);
    for (const [index, caller] of several.entries()) caller.say(`${text}${index}`);
    for (const [index, caller] of several.entries()) await caller.hears(`hello ${text}${index}`);
    expect(proxy.harmed).toBe(0);
  });

  it("tells each side when the other one has left, and counts who is there", async () => {
    const caller = await call();
    echo.sockets[0]?.end();
    await caller.ends("end");
    const other = await call();
    other.socket.destroy();
    await eventually(PATIENCE, async () => {
      expect(echo.sockets.every((socket) => socket.destroyed)).toBe(true);
      expect(proxy.connections).toBe(0);
    });
    expect(proxy.accepted).toBe(2);
  });

  it("delays answers, and does not delay one by the other", async () => {
    const caller = await call();
    proxy.become({ kind: "latency", milliseconds: 60, jitter: 20 });
    const start = performance.now();
    for (let count = 0; count < 10; count++) {
      caller.say(`${count}`);
      await turn();
    }
    await caller.hears("hello 0123456789");
    const duration = performance.now() - start;
    expect(duration).toBeGreaterThanOrEqual(59);
    // One after the other would be ten times as long.
    expect(duration).toBeLessThan(10 * 60);
    expect(proxy.harmed).toBeGreaterThan(0);
  });

  it("swallows everything in a black hole, for old connections and new, and gives it back afterwards", async () => {
    const caller = await call();
    proxy.become({ kind: "black hole" });
    caller.say("?");
    const late = new Caller(proxy.port);
    callers.push(late);
    late.say("?");
    await eventually(PATIENCE, async () => expect(proxy.harmed).toBe(2));
    expect(echo.heard.join("")).toBe("hello ");
    proxy.become(undefined);
    await caller.hears("hello ?");
    await late.hears("?");
    expect([caller.end, late.end]).toEqual([undefined, undefined]);
  });

  it("resets every connection at once, and takes new ones", async () => {
    const both = [await call(), await call()];
    proxy.reset();
    for (const caller of both) await caller.ends("reset");
    await call();
  });

  it("resets in the middle of an answer", async () => {
    const caller = await call();
    proxy.become({ kind: "reset mid-reply" });
    caller.say("12345678");
    await caller.ends("reset");
    expect(["hello ", "hello 1234"]).toContain(caller.got);
    expect(echo.heard.at(-1)).toBe("12345678");
  });

  it("truncates an answer and ends in good order", async () => {
    const caller = await call();
    proxy.become({ kind: "truncate" });
    caller.say("12345678");
    await caller.ends("end");
    expect(caller.got).toBe("hello 1234");
  });

  it("loses an answer after the server has heard the question", async () => {
    const caller = await call();
    proxy.become({ kind: "swallow" });
    caller.say("12345678");
    await caller.ends("reset");
    expect(caller.got).toBe("hello ");
    expect(echo.heard.at(-1)).toBe("12345678");
  });

  it("cuts a connection after a number of bytes", async () => {
    const caller = await call();
    proxy.become({ kind: "cut", bytes: 6 });
    caller.say("1234");
    await caller.hears("hello 1234");
    caller.say("5678");
    await caller.ends("reset");
    expect(caller.got.length).toBeLessThanOrEqual("hello 123456".length);
  });

  it("gives an answer byte by byte", async () => {
    const caller = await call();
    proxy.become({ kind: "trickle" });
    caller.say("abcdefgh");
    await caller.hears("hello abcdefgh");
    expect(caller.pieces.length).toBeGreaterThan(4);
  });

  it("puts bytes before an answer that mean nothing", async () => {
    const caller = await call();
    proxy.become({ kind: "corrupt" });
    caller.say("1234");
    await eventually(PATIENCE, async () => expect(caller.got).toMatch(/1234$/));
    expect(caller.got.length).toBeGreaterThan("hello 1234".length);
  });

  it("closes one direction and leaves the other open", async () => {
    const caller = new Caller(proxy.port);
    callers.push(caller);
    caller.socket.allowHalfOpen = true;
    proxy.become({ kind: "half-close" });
    caller.say("1");
    await caller.hears("1");
    await caller.ends("end");
    caller.say("2");
    await eventually(PATIENCE, async () => expect(echo.heard.join("")).toBe("12"));
    expect(caller.got).toBe("1");
  });

  it("is not there while it is stopped, and is on the same port afterwards", async () => {
    const { port } = proxy;
    const caller = await call();
    await proxy.stop();
    await caller.ends("reset");
    const refused = new Caller(port);
    await refused.ends("reset");
    await proxy.listen();
    expect(proxy.port).toBe(port);
    await call();
  });

  it("resets those who come while the server itself is away", async () => {
    await echo.close();
    const caller = new Caller(proxy.port);
    callers.push(caller);
    await caller.ends("reset");
    await within(PATIENCE, proxy.close(), () => "the proxy is still open");
  });
});
