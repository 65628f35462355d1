import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { describeWithServer } from "../../src/index.ts";
import { startPostgres } from "../../src/servers/index.ts";
import { isGone, leaveBehind, listens } from "./remains.ts";

describeWithServer("postgres", "a PostgreSQL server of one's own", (server) => {
  it("is gone after kill, and has on the same port after restart what was acknowledged before", async () => {
    const own = server();
    expect(ask(own.url, "CREATE TABLE t (n int); INSERT INTO t VALUES (7); SELECT n FROM t")).toBe(
      "7",
    );
    await own.kill();
    expect(own.pid).toBeUndefined();
    expect(await listens(own.port)).toBe(false);
    await own.restart();
    expect(ask(own.url, "SELECT n FROM t")).toBe("7");
  });

  it("takes settings, and leaves nothing behind after stop", async () => {
    const own = await startPostgres({ settings: { max_connections: "7" } });
    expect(ask(own.url, "SHOW max_connections")).toBe("7");
    const folder = ask(own.url, "SHOW unix_socket_directories");
    await own.stop();
    await isGone({ port: own.port, folder });
  });

  it("says why it could not start", async () => {
    const settings = { max_connections: "none" };
    await expect(startPostgres({ settings })).rejects.toThrow("invalid value for parameter");
  });

  it("does not outlive a process that is killed", async () => {
    await isGone(await leaveBehind("postgres", "SIGKILL"));
  });
});

/** The last line that `psql` prints; it is installed with the server. */
function ask(url: string, sql: string): string {
  const { stdout, stderr } = spawnSync("psql", ["-qAt", url, "-c", sql], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n").at(-1) ?? "";
}
