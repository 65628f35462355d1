import { describe, expect, it } from "vitest";
import { EndpointCounts, OTHER_ENDPOINTS } from "../../src/metrics/endpoints.ts";
import { MAX_ENDPOINTS } from "../../src/metrics/snapshot.ts";

describe("EndpointCounts", () => {
  it("counts each endpoint exactly as long as there are few", () => {
    const counts = new EndpointCounts();
    for (let index = 0; index < MAX_ENDPOINTS - 1; index++) {
      for (let times = 0; times <= index % 3; times++) counts.add(`/${index}`);
    }
    const rows = counts.snapshot();
    expect(rows).toHaveLength(MAX_ENDPOINTS - 1);
    for (const [index, row] of rows.entries()) {
      expect(row).toEqual({ endpoint: `/${index}`, requests: (index % 3) + 1 });
    }
  });

  it("stays bounded under any number of paths, loses no request, and keeps the frequent ones (R-43)", () => {
    const counts = new EndpointCounts();
    for (let index = 0; index < 20_000; index++) {
      counts.add(`/invented/${index}`);
      if (index % 10 === 0) counts.add("/real");
    }
    const rows = counts.snapshot();
    expect(rows.length).toBe(MAX_ENDPOINTS);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(22_000);
    expect(rows.find(({ endpoint }) => endpoint === "/real")?.requests).toBe(2000);
    expect(rows.find(({ endpoint }) => endpoint === OTHER_ENDPOINTS)?.requests).toBeGreaterThan(
      19_000,
    );
  });

  it("adds all requests of an endpoint that gives way to the others", () => {
    const counts = new EndpointCounts();
    for (let index = 0; index < MAX_ENDPOINTS - 1; index++) {
      for (let times = 0; times < 3; times++) counts.add(`/${index}`);
    }
    counts.add("/new");
    const rows = counts.snapshot();
    expect(rows).toHaveLength(MAX_ENDPOINTS);
    expect(rows.find(({ endpoint }) => endpoint === OTHER_ENDPOINTS)?.requests).toBe(3);
    expect(rows.find(({ endpoint }) => endpoint === "/new")?.requests).toBe(1);
  });

  it("lets in an endpoint that becomes frequent after the flood", () => {
    const counts = new EndpointCounts();
    for (let index = 0; index < 1000; index++) counts.add(`/invented/${index}`);
    for (let times = 0; times < 50; times++) counts.add("/late");
    expect(counts.snapshot().find(({ endpoint }) => endpoint === "/late")?.requests).toBe(50);
  });
});
