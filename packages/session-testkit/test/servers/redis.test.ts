import { expect, it } from "vitest";
import { describeWithServer } from "../../src/index.ts";
import { RespError, startRedis } from "../../src/servers/index.ts";
import { isGone, leaveBehind, listens } from "./remains.ts";

describeWithServer("redis", "a Redis server of one's own", (server) => {
  it("answers on its port, to each what it asked", async () => {
    const command = (...args: readonly (string | number)[]) => server().command(...args);
    expect(await command("SET", "name", "ann\r\n✓")).toBe("OK");
    const answers = await Promise.all([
      command("GET", "name"),
      command("RPUSH", "list", "a", "b"),
      command("LRANGE", "list", 0, -1),
      command("GET", "nothing"),
      command("EVAL", "return {1, {'two', false}}", 0),
    ]);
    expect(answers).toEqual(["ann\r\n✓", 2, ["a", "b"], null, [1, ["two", null]]]);
    await expect(command("LPUSH", "name", "x")).rejects.toBeInstanceOf(RespError);
  });

  it("keeps nothing on the disk unless it is asked to", async () => {
    const [, save] = (await server().command("CONFIG", "GET", "save")) as readonly string[];
    expect(save).toBe("");
  });

  it("is gone after kill and answers on the same port after restart, with nothing in it", async () => {
    const own = server();
    const { pid, port } = own;
    await own.command("SET", "key", "value");
    await own.kill();
    expect(own.pid).toBeUndefined();
    expect(await listens(port)).toBe(false);
    await own.restart();
    expect(own.pid).not.toBe(pid);
    expect(own.port).toBe(port);
    expect(await own.command("GET", "key")).toBeNull();
  });

  it("goes back to a moment of before", async () => {
    const own = server();
    await own.command("SET", "key", "then");
    const snapshot = await own.snapshot();
    await own.command("SET", "key", "later");
    await own.restart({ snapshot });
    expect(await own.command("GET", "key")).toBe("then");
    await own.restart({ empty: true });
    expect(await own.command("GET", "key")).toBeNull();
  });

  it("says nothing while it is paused, and everything afterwards", async () => {
    const own = server();
    own.pause();
    let isAnswered = false;
    const answer = own.command("PING").finally(() => {
      isAnswered = true;
    });
    // Another server that answers meanwhile shows that the first one had the time to.
    const other = await startRedis({ args: ["--maxmemory", "8mb"] });
    expect(await other.command("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "8388608"]);
    await other.stop();
    expect(isAnswered).toBe(false);
    own.resume();
    expect(await answer).toBe("PONG");
  });

  it("leaves nothing behind after stop", async () => {
    const own = await startRedis({ args: ["--appendonly", "yes"] });
    const { port } = own;
    const [, folder] = (await own.command("CONFIG", "GET", "dir")) as readonly [string, string];
    await own.stop();
    await isGone({ port, folder });
  });

  it("says why it could not start, and leaves nothing behind then", async () => {
    await expect(startRedis({ args: ["--no-such-option", "1"] })).rejects.toThrow("Bad directive");
  });

  it.each(["SIGKILL", "SIGTERM", "exit"])(
    "does not outlive a process that ends by %s",
    async (end) => {
      await isGone(await leaveBehind("redis", end));
    },
  );
});
