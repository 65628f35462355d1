import { expect, it } from "vitest";
import { eventually, PATIENCE } from "../../src/adapter/patience.ts";
import { describeWithServer } from "../../src/index.ts";

describeWithServer(
  "redis-cluster",
  "a Redis Cluster of one's own",
  (cluster) => {
    it("has three masters that share all slots, each with a replica that is in sync", async () => {
      const { nodes, urls } = cluster();
      expect(new Set(urls).size).toBe(6);
      expect(nodes.map(({ role }) => role).sort()).toEqual([
        ...Array(3).fill("master"),
        ...Array(3).fill("replica"),
      ]);
      for (const node of nodes) {
        const info = String(await node.command("CLUSTER", "INFO"));
        expect(info).toContain("cluster_state:ok");
        expect(info).toContain("cluster_slots_ok:16384");
        const [role, , third] = (await node.command("ROLE")) as readonly unknown[];
        if (node.role === "master") expect([role, third]).toEqual(["master", [expect.any(Array)]]);
        else expect(role).toBe("slave");
      }
    });

    it("promotes the replica of a master that is killed, and takes the old master back as its replica", async () => {
      const { nodes, ready } = cluster();
      const [master] = nodes;
      const replica = nodes.find(({ masterId }) => masterId === master?.id);
      if (master === undefined || replica === undefined)
        throw new Error("The cluster is not whole.");
      await master.command("SET", "{06S}", "kept");
      await master.command("WAIT", 1, 1000);
      await master.kill();
      await eventually(2 * PATIENCE, async () => {
        expect(await replica.command("GET", "{06S}")).toBe("kept");
      });
      await master.restart();
      await ready();
      await eventually(PATIENCE, async () => {
        expect(await master.command("ROLE")).toContain("slave");
      });
    });
  },
  { nodeTimeout: 1000 },
);
