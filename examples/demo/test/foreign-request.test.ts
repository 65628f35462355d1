import { describe, expect, it } from "vitest";
import { isForeign } from "../app/foreign-request.ts";

const HOST = "shop.example:8080";

describe("A form that changes something", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["from this site", { "sec-fetch-site": "same-origin" }, false],
    ["from the address bar", { "sec-fetch-site": "none" }, false],
    ["from another site", { "sec-fetch-site": "cross-site" }, true],
    ["from a neighbouring subdomain", { "sec-fetch-site": "same-site" }, true],
    [
      "that claims a right Origin from another site",
      { "sec-fetch-site": "cross-site", origin: `http://${HOST}` },
      true,
    ],
    ["over plain http from this site", { origin: `http://${HOST}` }, false],
    ["over plain http from another site", { origin: "http://evil.example" }, true],
    ["over plain http from another port", { origin: "http://shop.example" }, true],
    ["from a sandbox", { origin: "null" }, true],
    ["from a command line", {}, false],
  ])("%s is told apart", (_what, headers, expected) => {
    expect(isForeign({ headers: new Headers({ ...headers, host: HOST }) })).toBe(expected);
  });
});
