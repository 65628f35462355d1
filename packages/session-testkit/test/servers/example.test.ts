import { describeWithServer } from "@kyb/session-testkit";
import { expect, it } from "vitest";

describeWithServer("redis", "a store on Redis", (server) => {
  it("has a server that nobody else uses, and that it can kill", async () => {
    const { port } = server();
    await server().command("SET", "key", "value");
    await server().kill("SIGKILL");
    await server().restart({ empty: true });
    expect(server().port).toBe(port);
    expect(await server().command("GET", "key")).toBeNull();
  });
});
