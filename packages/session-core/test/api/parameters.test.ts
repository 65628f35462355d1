import { describe, expect, it } from "vitest";
import { type ApiAnswer, type ApiClient, ApiWorld } from "./support/api-world.ts";

async function admin(): Promise<ApiClient> {
  return new ApiWorld().signedIn("admin");
}

/** The message of a 400 for a parameter. */
function refusal({ status, body }: ApiAnswer): unknown {
  return status === 400 && body.code === "INVALID_PARAMETER" ? body.error : `status ${status}`;
}

describe("a parameter", () => {
  it("that the route does not know is refused by name", async () => {
    const client = await admin();
    const cases = [
      ["GET", "?userid=alice", "userid"],
      ["GET", "?limit=5&colour=red", "colour"],
      ["GET", "/current?session_id=x", "session_id"],
      ["GET", "/metrics?_=1", "_"],
      ["GET", "/status?verbose", "verbose"],
      ["GET", "/openapi.json?v=2", "v"],
      ["GET", "/activity?user_id=alice", "user_id"],
      ["POST", "?user_id=alice", "user_id"],
      ["DELETE", "?session_id=x&dry_run=1", "dry_run"],
      ["GET", "?__proto__=1", "__proto__"],
      ["GET", "?constructor=1", "constructor"],
      ["GET", "?LIMIT=1", "LIMIT"],
    ] as const;
    for (const [method, path, name] of cases) {
      expect(refusal(await client.send(method, path))).toContain(`"${name}" is not a parameter`);
    }
  });

  it("that is given twice is refused by name (R-65)", async () => {
    const client = await admin();
    expect(refusal(await client.send("GET", "?limit=5&limit=5"))).toBe("limit is given twice.");
    expect(refusal(await client.send("GET", "/detail?session_id=a&session_id=b"))).toBe(
      "session_id is given twice.",
    );
    expect(refusal(await client.send("DELETE", "?user_id=a&%75ser_id=b"))).toBe(
      "user_id is given twice.",
    );
  });

  it("that is refused ends nothing", async () => {
    const world = new ApiWorld();
    const client = await world.signedIn("admin");
    const wrong = [
      "",
      "?except=current",
      "?session_id=",
      "?user_id=",
      `?session_id=${client.sessionId}&user_id=admin`,
      `?session_id=${client.sessionId}&except=current`,
      "?user_id=admin&except=other",
      "?user_id=admin&except=",
      `?session_id=${client.sessionId}&x=1`,
    ];
    for (const query of wrong) {
      expect(refusal(await client.send("DELETE", query))).toMatch(/session_id|user_id|except|"x"/);
    }
    expect((await world.manager.get(client.sessionId))?.isActive).toBe(true);
  });

  it("that is too long is no id", async () => {
    const client = await admin();
    const long = "x".repeat(257);
    expect(refusal(await client.send("GET", `/detail?session_id=${long}`))).toContain(
      "session_id must be",
    );
    expect(refusal(await client.send("GET", `?user_id=${long}`))).toContain("user_id must be");
    expect(refusal(await client.send("GET", `?q=${long}`))).toContain("q must be");
    expect(refusal(await client.send("GET", `?cursor=${"x".repeat(1025)}`))).toContain(
      "cursor must be",
    );
  });

  it("that is needed and not there is named", async () => {
    const client = await admin();
    expect(refusal(await client.send("GET", "/detail"))).toBe("session_id is missing.");
    expect(refusal(await client.send("DELETE", ""))).toBe("session_id or user_id is missing.");
  });
});

describe("limit, offset and cursor", () => {
  it("have bounds, on lists and on timelines alike", async () => {
    const client = await admin();
    for (const route of ["", "/activity"]) {
      for (const limit of [
        "0",
        "1001",
        "-1",
        "1.5",
        "1e2",
        "+1",
        " 1",
        "0x10",
        "",
        "ten",
        "9".repeat(30),
      ]) {
        const answer = await client.send("GET", `${route}?limit=${encodeURIComponent(limit)}`);
        expect(refusal(answer)).toBe("limit must be a whole number from 1 to 1000.");
      }
      for (const offset of ["10001", "-1", "1.5", "", "NaN"]) {
        const answer = await client.send("GET", `${route}?offset=${offset}`);
        expect(refusal(answer)).toContain("offset must be a whole number from 0 to 10000");
        expect(refusal(answer)).toContain("cursor");
      }
      for (const range of ["limit=1", "limit=1000", "offset=0", "offset=10000"]) {
        expect((await client.send("GET", `${route}?${range}`)).status).toBe(200);
      }
    }
  });

  it("refuse a cursor that nobody gave, and one together with an offset", async () => {
    const client = await admin();
    for (const route of ["", "/activity"]) {
      const forged = [
        "x",
        "W10",
        "bnVsbA",
        "eyJhIjoxfQ",
        "%00",
        "%F0%9F%92%A9",
        "WyJjcmVhdGVkQXQiXQ",
      ];
      for (const cursor of forged) {
        expect(refusal(await client.send("GET", `${route}?cursor=${cursor}`))).toContain("cursor");
      }
      expect(refusal(await client.send("GET", `${route}?cursor=`))).toContain("cursor must be");
      expect(refusal(await client.send("GET", `${route}?cursor=x&offset=1`))).toContain(
        "exclude each other",
      );
    }
  });

  it("refuse a cursor of another order", async () => {
    const world = new ApiWorld();
    const client = await world.signedIn("admin");
    await world.signedIn("alice");
    const { body } = await client.send("GET", "?limit=1");
    const cursor = String(body.next_cursor);
    expect((await client.send("GET", `?cursor=${cursor}`)).status).toBe(200);
    expect(refusal(await client.send("GET", `?cursor=${cursor}&sort=created_at`))).toContain(
      "cursor",
    );
  });
});

describe("status and sort", () => {
  it("take the documented words only", async () => {
    const client = await admin();
    for (const status of ["", "live", "ACTIVE", "toString", "__proto__", "active,ended"]) {
      expect(refusal(await client.send("GET", `?status=${status}`))).toBe(
        "status must be one of active, ended, all.",
      );
    }
    for (const sort of ["", "user_id", "createdAt", "--created_at", "constructor"]) {
      expect(refusal(await client.send("GET", `?sort=${sort}`))).toContain(
        "sort must be one of created_at",
      );
    }
  });
});
