import { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { connectionOf, headOf, urlOf } from "../src/index.ts";

function message(properties: object): IncomingMessage {
  return Object.assign(new IncomingMessage({ remoteAddress: "192.0.2.1" } as never), properties);
}

describe("the head of a request", () => {
  it("reads headers in any case, lists as one line, and nothing that is no header", () => {
    const { headers } = headOf(
      message({ headers: { cookie: "a=1; b=2", "x-one": "1", "set-cookie": ["c=3", "d=4"] } }),
    );
    expect(headers.get("cookie")).toBe("a=1; b=2");
    expect(headers.get("X-One")).toBe("1");
    expect(headers.get("Set-Cookie")).toBe("c=3, d=4");
    for (const name of ["x-two", "constructor", "__proto__", "toString"]) {
      expect(headers.get(name)).toBeNull();
    }
  });

  it("has the method and the whole URL, whatever routers have cut off", () => {
    const req = message({ method: "PUT", url: "/b?c", originalUrl: "/a/b?c" });
    expect(headOf(req)).toMatchObject({ method: "PUT", url: "/a/b?c" });
    expect(urlOf(message({ url: "/b?c" }))).toBe("/b?c");
    expect(headOf(req, "/given")).toMatchObject({ url: "/given" });
  });

  it("knows the peer and whether the socket is encrypted, and believes no header", () => {
    const forged = { headers: { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https" } };
    expect(connectionOf(message(forged))).toEqual({ remoteAddress: "192.0.2.1", encrypted: false });
    expect(connectionOf(message({ socket: { encrypted: true } }))).toEqual({
      remoteAddress: "",
      encrypted: true,
    });
  });
});
