import { describe, expect, it } from "vitest";
import {
  type ClientFacts,
  type ConnectionInfo,
  canonicalHost,
  clientFacts,
  compileTrust,
  MAX_HOPS,
  type TrustFunction,
} from "../src/client.ts";
import { canonicalAddress } from "../src/internal/address.ts";
import { copyText, cutText } from "../src/internal/cut-text.ts";

type Headers = Record<string, string>;

function facts(
  connection: ConnectionInfo,
  headers: Headers,
  trustProxy: unknown,
  read: string[] = [],
): ClientFacts {
  const head = {
    method: "GET",
    url: "/",
    headers: {
      get: (name: string): string | null => {
        read.push(name);
        return headers[name.toLowerCase()] ?? null;
      },
    },
  };
  return clientFacts(head, connection, compileTrust(trustProxy));
}

function addressOf(peer: string, forwardedFor: string, trustProxy: unknown): string {
  return facts({ remoteAddress: peer }, { "x-forwarded-for": forwardedFor }, trustProxy).address;
}

const all: TrustFunction = () => true;
const none: TrustFunction = () => false;
const ten: TrustFunction = (address) => address.startsWith("10.");

describe("the client's address", () => {
  // The cases of proxy-addr's own tests. Where ours is stricter, the title says so.
  type Case = [title: string, peer: string, forwardedFor: string, trust: unknown, client: string];
  const cases: Case[] = [
    ["all trusted: is the header's", "127.0.0.1", "10.0.0.1", all, "10.0.0.1"],
    ["all trusted: is the furthest", "127.0.0.1", "10.0.0.1, 10.0.0.2", all, "10.0.0.1"],
    ["none trusted: is the peer's", "127.0.0.1", "10.0.0.1, 10.0.0.2", none, "127.0.0.1"],
    ["some trusted: is an untrusted peer's", "127.0.0.1", "10.0.0.1, 10.0.0.2", ten, "127.0.0.1"],
    ["some trusted: is the header's", "10.0.0.1", "192.168.0.1", ten, "192.168.0.1"],
    ["some trusted: skips the trusted", "10.0.0.1", "192.168.0.1, 10.0.0.2", ten, "192.168.0.1"],
    [
      "some trusted: does not skip an untrusted",
      "10.0.0.1",
      "10.0.0.3, 192.168.0.1, 10.0.0.2",
      ten,
      "192.168.0.1",
    ],
    [
      "a list: takes literal addresses",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.2",
      ["10.0.0.1", "10.0.0.2"],
      "192.168.0.1",
    ],
    [
      "a list: stops before what is no address (proxy-addr hands it out)",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.2, localhost",
      ["10.0.0.1", "10.0.0.2"],
      "10.0.0.1",
    ],
    [
      "a list: is the peer's if nothing matches",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.2",
      ["127.0.0.1", "192.168.0.100"],
      "10.0.0.1",
    ],
    ["an empty list: is the peer's", "127.0.0.1", "10.0.0.1, 10.0.0.2", [], "127.0.0.1"],
    ["IPv4: takes a range", "10.0.0.1", "192.168.0.1, 10.0.0.200", ["10.0.0.2/26"], "10.0.0.200"],
    [
      "IPv6: takes literal addresses",
      "fe80::1",
      "2002:c000:203::1, fe80::2",
      ["fe80::1", "fe80::2"],
      "2002:c000:203::1",
    ],
    [
      "IPv6: takes a range",
      "fe80::1",
      "2002:c000:203::1, fe80::ff00",
      ["fe80::/125"],
      "fe80::ff00",
    ],
    [
      "both: matches each kind",
      "::1",
      "2002:c000:203::1",
      ["127.0.0.1", "::1"],
      "2002:c000:203::1",
    ],
    ["both: does not match IPv4 to IPv6", "::1", "2002:c000:203::1", ["127.0.0.1"], "::1"],
    [
      "mapped: matches IPv4 to a mapped peer",
      "::ffff:a00:1",
      "192.168.0.1, 10.0.0.2",
      ["10.0.0.1", "10.0.0.2"],
      "192.168.0.1",
    ],
    [
      "mapped: matches an IPv4 range to a mapped peer",
      "::ffff:a00:1",
      "192.168.0.1, 10.0.0.2",
      ["10.0.0.1/16"],
      "192.168.0.1",
    ],
    [
      "mapped: matches mapped addresses to an IPv4 peer",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.2",
      ["::ffff:a00:1", "::ffff:a00:2"],
      "192.168.0.1",
    ],
    [
      "mapped: matches a mapped range to an IPv4 peer",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.200",
      ["::ffff:a00:2/122"],
      "10.0.0.200",
    ],
    [
      "mapped: takes a mapped range beside an IPv6 range",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.200",
      ["::ffff:a00:2/122", "fe80::/125"],
      "10.0.0.200",
    ],
    [
      "mapped: takes a mapped range beside an IPv4 address",
      "10.0.0.1",
      "192.168.0.1, 10.0.0.200",
      ["::ffff:a00:2/122", "127.0.0.1"],
      "10.0.0.200",
    ],
    [
      "ranges for proxy-addr's name linklocal",
      "fe80::1",
      "2002:c000:203::1, fe80::2",
      ["169.254.0.0/16", "fe80::/10"],
      "2002:c000:203::1",
    ],
    [
      "ranges for proxy-addr's names loopback and linklocal",
      "::1",
      "2002:c000:203::1, fe80::2",
      ["127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10"],
      "2002:c000:203::1",
    ],
    [
      "garbage: stops before a word (proxy-addr hands it out)",
      "127.0.0.1",
      "myrouter, 127.0.0.1, proxy",
      ["127.0.0.1"],
      "127.0.0.1",
    ],
    [
      "garbage: stops before a malformed address (proxy-addr hands it out)",
      "127.0.0.1",
      "myrouter, 127.0.0.1, ::8:8:8:8:8:8:8:8:8",
      ["127.0.0.1"],
      "127.0.0.1",
    ],
    [
      "garbage: keeps what was walked before it",
      "127.0.0.1",
      "10.9.9.9, unknown, 10.0.0.2",
      ["127.0.0.1", "10.0.0.0/8"],
      "10.0.0.2",
    ],
    ["one hop: is the rightmost", "10.0.0.1", "1.1.1.1, 2.2.2.2", 1, "2.2.2.2"],
    ["two hops: is the one before it", "10.0.0.1", "1.1.1.1, 2.2.2.2", 2, "1.1.1.1"],
    ["more hops than addresses: is the leftmost", "10.0.0.1", "1.1.1.1, 2.2.2.2", 9, "1.1.1.1"],
    ["no hops: is the peer's", "10.0.0.1", "1.1.1.1, 2.2.2.2", 0, "10.0.0.1"],
    ["skips empty entries; RFC 9110 section 5.6.1", "10.0.0.1", ", 1.1.1.1 ,, ", 1, "1.1.1.1"],
    ["needs no blanks", "10.0.0.1", "1.1.1.1,2.2.2.2", 2, "1.1.1.1"],
    ["strips ports", "10.0.0.1:4711", "[2001:DB8::1]:80, 10.0.0.2:81", ten, "2001:db8::1"],
    ["is one address whatever its spelling", "10.0.0.1", "::FFFF:1.2.3.4", ten, "1.2.3.4"],
    ["is the peer's for an empty header", "10.0.0.1", "", 1, "10.0.0.1"],
    ["is the peer's for a header of commas", "10.0.0.1", ",,,", 1, "10.0.0.1"],
    ["is not read from a quoted entry", "10.0.0.1", '"1.1.1.1"', 1, "10.0.0.1"],
    ["is not read from an element of Forwarded", "10.0.0.1", "for=1.1.1.1", 1, "10.0.0.1"],
  ];
  for (const [title, peer, forwardedFor, trust, client] of cases) {
    it(`${title} (R-47)`, () => {
      expect(addressOf(peer, forwardedFor, trust)).toBe(client);
    });
  }

  it("is the peer's where there is no header", () => {
    for (const trust of [false, none, ten, all, [], ["127.0.0.1"], 1]) {
      expect(facts({ remoteAddress: "127.0.0.1" }, {}, trust).address).toBe("127.0.0.1");
    }
  });

  it("is unknown without a peer's address, whatever the headers say", () => {
    const headers = { "x-forwarded-for": "127.0.0.1, 10.0.0.1" };
    expect(facts({}, headers, ["127.0.0.1"]).address).toBe("");
    expect(facts({}, headers, false).address).toBe("");
  });

  it("is the header's behind a proxy on a Unix socket that hops or a function trust", () => {
    const headers = { "x-forwarded-for": "1.1.1.1" };
    expect(facts({}, headers, 1).address).toBe("1.1.1.1");
    expect(facts({}, headers, (address: string) => address === "").address).toBe("1.1.1.1");
  });

  it("asks the function for address and hop, from the peer on, and not for the leftmost", () => {
    const asked: [string, number][] = [];
    const trust = (address: string, hop: number): boolean => {
      asked.push([address, hop]);
      return true;
    };
    expect(addressOf("127.0.0.1", "192.168.0.1, ::ffff:10.0.0.1", trust)).toBe("192.168.0.1");
    expect(asked).toEqual([
      ["127.0.0.1", 0],
      ["10.0.0.1", 1],
    ]);
  });

  it("trusts only where the function answers true itself", () => {
    for (const answer of [1, "yes", {}, Promise.resolve(true)]) {
      expect(addressOf("10.0.0.1", "1.1.1.1", () => answer)).toBe("10.0.0.1");
    }
  });

  it("lets an error of the function through", () => {
    const trust = (): boolean => {
      throw new Error("no list");
    };
    expect(() => addressOf("10.0.0.1", "1.1.1.1", trust)).toThrow("no list");
  });

  it("comes from no more than 32 entries", () => {
    const chain = Array.from({ length: 40 }, (_, index) => `10.0.0.${index}`).join(",");
    expect(addressOf("10.1.1.1", chain, all)).toBe(`10.0.0.${40 - MAX_HOPS}`);
    expect(addressOf("10.1.1.1", `1.1.1.1${",".repeat(MAX_HOPS)}`, all)).toBe("10.1.1.1");
  });

  it("costs less than 5 ms with 64 KB of anything (R-49)", () => {
    const size = 65_536;
    const worst = [
      ",".repeat(size),
      " ".repeat(size),
      "1".repeat(size),
      ":".repeat(size),
      "::1,".repeat(size / 4),
      "10.0.0.1, ".repeat(size / 10),
      `${" ,".repeat(size / 2)}`,
      `[${"f:".repeat(size / 2)}`,
      `::1%${"z".repeat(size)}`,
    ];
    for (const header of worst) {
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 5; run++) {
        const start = performance.now();
        const headers = {
          "x-forwarded-for": header,
          "x-forwarded-proto": header,
          "x-forwarded-host": header,
        };
        facts({ remoteAddress: header }, headers, all);
        best = Math.min(best, performance.now() - start);
      }
      expect(best).toBeLessThan(5);
    }
  });
});

describe("scheme and host", () => {
  const proxy = { remoteAddress: "10.0.0.1" };

  it("are the connection's own without trust, and no header is read", () => {
    const headers = {
      "x-forwarded-for": "1.1.1.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
    };
    for (const encrypted of [true, false]) {
      const read: string[] = [];
      expect(facts({ ...proxy, encrypted }, headers, false, read)).toEqual({
        address: "10.0.0.1",
        encrypted,
        host: undefined,
        forwarded: false,
      });
      expect(read).toEqual([]);
    }
    expect(facts(proxy, headers, ["10.0.0.2"]).forwarded).toBe(false);
    expect(facts(proxy, headers, ["10.0.0.2"]).encrypted).toBe(false);
    expect(facts(proxy, headers, ["10.0.0.2"]).host).toBeUndefined();
  });

  it("are the trusted proxy's word (R-47)", () => {
    const headers = {
      "x-forwarded-for": "1.1.1.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "Shop.Example:8443",
    };
    expect(facts(proxy, headers, ten)).toEqual({
      address: "1.1.1.1",
      encrypted: true,
      host: "shop.example:8443",
      forwarded: true,
    });
  });

  it("are believed from a trusted proxy that names no client", () => {
    const answer = facts(proxy, { "x-forwarded-proto": "https" }, ten);
    expect(answer).toMatchObject({ address: "10.0.0.1", encrypted: true, forwarded: true });
  });

  const schemes: [title: string, forwardedFor: string, scheme: string, encrypted: boolean][] = [
    ["ignores case", "1.1.1.1", "HTTPS", true],
    ["knows wss", "1.1.1.1", "wss", true],
    ["takes the one value that all proxies pass on", "1.1.1.1, 10.0.0.2", "https", true],
    ["takes the nearest proxy's, not the client's before it", "1.1.1.1", "https, http", false],
    ["takes the outermost proxy's of two", "1.1.1.1, 10.0.0.2", "https, http", true],
    ["takes nothing left of it", "1.1.1.1, 10.0.0.2", "https, http, http", false],
    ["takes the last where the client's address is garbage", "nonsense", "https, http", false],
  ];
  for (const [title, forwardedFor, scheme, encrypted] of schemes) {
    it(`${title} (R-47)`, () => {
      const headers = { "x-forwarded-for": forwardedFor, "x-forwarded-proto": scheme };
      expect(facts(proxy, headers, ten).encrypted).toBe(encrypted);
    });
  }

  it("lets the proxy say http about a client although its own connection uses TLS", () => {
    const connection = { ...proxy, encrypted: true };
    expect(facts(connection, { "x-forwarded-proto": "http" }, ten).encrypted).toBe(false);
  });

  it("goes by the connection where the proxy says nothing or nonsense", () => {
    for (const scheme of ["", "ftp", "https;", ","]) {
      for (const encrypted of [true, false]) {
        const headers = { "x-forwarded-proto": scheme };
        expect(facts({ ...proxy, encrypted }, headers, ten).encrypted).toBe(encrypted);
      }
    }
    expect(facts({ ...proxy, encrypted: true }, {}, ten).encrypted).toBe(true);
  });

  it("takes the host from the same place as the scheme", () => {
    const headers = {
      "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.0.0.2",
      "x-forwarded-host": "evil.example, shop.example, inner.example",
    };
    expect(facts(proxy, headers, ten).host).toBe("shop.example");
  });

  it("knows a host from text that is none", () => {
    const hosts: [string | null | undefined, string | undefined][] = [
      ["Example.COM", "example.com"],
      ["example.com:8080", "example.com:8080"],
      ["127.0.0.1:80", "127.0.0.1:80"],
      ["[2001:DB8::1]:80", "[2001:db8::1]:80"],
      ["my_service", "my_service"],
      ["", undefined],
      [null, undefined],
      [undefined, undefined],
      ["a b", undefined],
      ["a,b", undefined],
      ["a@b", undefined],
      ["a/b", undefined],
      ["a:port", undefined],
      ["a:123456", undefined],
      ["[::1", undefined],
      ["a\r\nb", undefined],
      ["h".repeat(254), undefined],
    ];
    for (const [text, host] of hosts) expect(canonicalHost(text)).toBe(host);
  });
});

describe("the canonical form of an address", () => {
  const spellings: [string, ...string[]][] = [
    [
      "192.0.2.1",
      "192.0.2.1",
      "192.0.2.1:80",
      "::ffff:192.0.2.1",
      "::FFFF:192.0.2.1",
      "::ffff:c000:201",
      "::ffff:c000:0201",
      "0:0:0:0:0:ffff:192.0.2.1",
      "0000:0000:0000:0000:0000:FFFF:C000:0201",
      "[::ffff:192.0.2.1]",
      "[::ffff:192.0.2.1]:8080",
      "::ffff:192.0.2.1%eth0",
    ],
    ["::1", "::1", "[::1]", "[::1]:80", "0:0:0:0:0:0:0:1", "::0001", "0::1", "::1%lo", "[::1%lo]"],
    ["::", "::", "0::0", "0:0:0:0:0:0:0:0"],
    ["fe80::1", "fe80::1%eth0", "FE80::1%3", "fe80::1%25en-0", "[fe80::1%eth0.1]:443"],
    ["2001:db8::1", "2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "2001:db8:0::0:1"],
    // RFC 5952: the leftmost of the longest runs of zeros is shortened, a single zero is not.
    ["2001:db8::1:0:0:1", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1::1", "2001:0:0:1:0:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8::1:1:1:1:1"],
    ["64:ff9b::c000:201", "64:ff9b::192.0.2.1"],
    // Deprecated (RFC 4291 section 2.5.5.1) and not the same as the mapped address.
    ["::c000:201", "::192.0.2.1"],
  ];
  for (const [canonical, ...aliases] of spellings) {
    it(`of ${canonical} is the same for every spelling (R-48)`, () => {
      for (const alias of aliases) expect(canonicalAddress(alias)).toBe(canonical);
      expect(canonicalAddress(canonical)).toBe(canonical);
    });
  }

  it("does not exist for what is no address (R-48)", () => {
    const garbage = [
      "",
      " ",
      "localhost",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.",
      ".1.2.3",
      "1..2.3",
      "256.1.1.1",
      "01.2.3.4",
      "0x7f.0.0.1",
      "2130706433",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4\n",
      "1.2.3.4:",
      "1.2.3.4:x",
      "1.2.3.4:123456",
      "1.2.3.4%eth0",
      "1.2.3.4/8",
      "[1.2.3.4]",
      "-1.2.3.4",
      "\u0661.2.3.4",
      ":",
      ":::",
      "::1::",
      "1::2::3",
      "12345::",
      "g::1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "1:2:3:4:5:6:7:",
      ":1:2:3:4:5:6:7",
      "::ffff:1.2.3.256",
      "::ffff:01.2.3.4",
      "::ffff:1.2.3",
      "::1.2.3.4:5",
      "::1%",
      "::1%a%b",
      "::1%<script>",
      "[::1",
      "::1]",
      "[::1]80",
      "[::1]:x",
      "[]",
      "[]:80",
      "undefined",
      "_hidden",
      `${"0".repeat(100)}::1`,
      "1".repeat(1000),
    ];
    for (const text of garbage) expect([text, canonicalAddress(text)]).toEqual([text, ""]);
  });

  it("agrees with RFC 4291 and RFC 5952 on thousands of odd spellings (F-52)", () => {
    const parts = ["0", "1", "ab", "0ABC", "ffff", ":", ":", "::", "0:0", "1.2.3.4", "00000", "g"];
    let seed = 7;
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const seen = { valid: 0, invalid: 0 };
    for (let round = 0; round < 40_000; round++) {
      let text = "";
      for (let left = 2 + next(16); left > 0; left--) text += parts[next(parts.length)] ?? "";
      if (text.indexOf(":") === text.lastIndexOf(":")) continue;
      const groups = referenceGroups(text);
      const expected = groups === undefined ? "" : referenceText(groups);
      if (canonicalAddress(text) !== expected) throw new Error(`${text} should be "${expected}"`);
      seen[groups === undefined ? "invalid" : "valid"]++;
    }
    expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(500);
  });
});

describe("the option trustProxy", () => {
  it("trusts nobody by default", () => {
    for (const value of [undefined, false, 0, []]) expect(compileTrust(value)).toBeUndefined();
  });

  it("takes addresses, ranges, hops and functions", () => {
    const accepted: unknown[] = [
      ["127.0.0.1"],
      ["::1"],
      ["::ffff:127.0.0.1"],
      ["10.0.0.0/8", "fd00::/8", "::ffff:10.0.0.0/104"],
      ["10.0.0.1/32", "::1/128", "128.0.0.0/1", "8000::/1"],
      1,
      MAX_HOPS,
      all,
    ];
    for (const value of accepted) expect(typeof compileTrust(value)).toBe("function");
  });

  it("draws the line of a range where it is", () => {
    const lines: [range: string, inside: string[], outside: string[]][] = [
      ["10.0.0.64/26", ["10.0.0.64", "10.0.0.127"], ["10.0.0.63", "10.0.0.128", "", "::a00:40"]],
      ["128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255"]],
      ["192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
      ["2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::1", "10.0.0.1", ""]],
      ["::1", ["::1"], ["::", "::2"]],
      ["::ffff:10.0.0.0/104", ["10.255.0.1"], ["11.0.0.1", "::1"]],
    ];
    for (const [range, inside, outside] of lines) {
      const trust = compileTrust([range]);
      for (const address of inside) expect([address, trust?.(address, 0)]).toEqual([address, true]);
      for (const address of outside) {
        expect([address, trust?.(address, 0)]).toEqual([address, false]);
      }
    }
  });

  it("is not changed by later changes of the list", () => {
    const list = ["10.0.0.1"];
    const trust = compileTrust(list);
    list.push("10.0.0.2");
    expect(trust?.("10.0.0.2", 0)).toBe(false);
  });

  const refused: [value: unknown, ...words: string[]][] = [
    [true, "trustProxy must be", "believe every client", "got true"],
    ["127.0.0.1", "trustProxy must be", "a list such as", '"127.0.0.1"'],
    ["loopback", "a list such as", '"loopback"'],
    ["1", "a number of hops", '"1"'],
    [null, "got null"],
    [{}, "an object"],
    [-1, "from 0 to 32", "-1"],
    [1.5, "from 0 to 32", "1.5"],
    [Number.NaN, "from 0 to 32", "NaN"],
    [Number.POSITIVE_INFINITY, "from 0 to 32", "Infinity"],
    [MAX_HOPS + 1, "from 0 to 32", "33"],
    [["10.0.0.1", "loopback"], "trustProxy[1]", '"loopback"'],
    [["blargh"], "trustProxy[0]", '"blargh"'],
    [["10.0.300.1"], "trustProxy[0]"],
    [["::ffff:30.168.1.9000"], "trustProxy[0]"],
    [["::ffff:a00:1%eth0/120"], "trustProxy[0]"],
    [["-1"], "trustProxy[0]"],
    [["10"], "trustProxy[0]"],
    [["010.0.0.1"], "trustProxy[0]"],
    [["10.0.0.1/internet"], "trustProxy[0]"],
    [["10.0.0.1/6000"], "trustProxy[0]"],
    [["10.0.0.1/33"], "trustProxy[0]"],
    [["::1/6000"], "trustProxy[0]"],
    [["::1/129"], "trustProxy[0]"],
    [["::ffff:a00:2/136"], "trustProxy[0]"],
    [["::ffff:a00:2/-1"], "trustProxy[0]"],
    [["::ffff:a00:2/96"], "not of everybody"],
    [["0.0.0.0/0"], "not of everybody"],
    [["::/0"], "not of everybody"],
    [["10.0.0.1/"], "trustProxy[0]"],
    [["10.0.0.1/8/8"], "trustProxy[0]"],
    [["10.0.0.1/255.0.255.0"], "trustProxy[0]"],
    [["10.0.0.2/255.255.255.192"], "trustProxy[0]"],
    [["10.0.0.1/ffc0::"], "trustProxy[0]"],
    [["fe80::/ffc0::"], "trustProxy[0]"],
    [["fe80::/255.255.255.0"], "trustProxy[0]"],
    [["::ffff:a00:2/255.255.255.0"], "trustProxy[0]"],
    [["10.0.0.1:80"], "trustProxy[0]"],
    [["[::1]"], "trustProxy[0]"],
    [["fe80::1%eth0"], "trustProxy[0]"],
    [[" 10.0.0.1"], "trustProxy[0]"],
    [[""], "trustProxy[0]", '""'],
    [[undefined], "trustProxy[0]", "undefined"],
    [[10], "trustProxy[0]", "10"],
  ];
  for (const [value, ...words] of refused) {
    it(`refuses ${shown(value)} and says why (R-47)`, () => {
      const error = refusal(value);
      expect(error).toMatchObject({ name: "SessionError", code: "INVALID_CONFIG" });
      for (const word of words) expect(error.message).toContain(word);
    });
  }
});

describe("text that is kept", () => {
  it("stays as it is when it is short and harmless", () => {
    for (const text of ["", "a", "curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64) \u00e9\u{1f600}"]) {
      expect(cutText(text, 512)).toBe(text);
      expect(copyText(text)).toBe(text);
    }
  });

  it("is cut at the limit and not before it", () => {
    expect(cutText("x".repeat(512), 512)).toHaveLength(512);
    expect(cutText("x".repeat(513), 512)).toHaveLength(512);
    expect(cutText(`/${"p".repeat(100_000)}`, 2048)).toBe(`/${"p".repeat(2047)}`);
    expect(cutText("abc", 0)).toBe("");
  });

  it("shows a replacement for each control character (R-41)", () => {
    expect(cutText("a\r\nb\tc\u0000d\u001b[31me\u007ff\u0085g\u009f", 100)).toBe(
      "a\ufffd\ufffdb\ufffdc\ufffdd\ufffd[31me\ufffdf\ufffdg\ufffd",
    );
    expect(cutText("line one\nline two, long enough to be copied", 12)).toBe("line one\ufffdlin");
  });

  it("holds no half of a surrogate pair, also where the cut makes one", () => {
    expect(cutText("a\ud83d\ude00b", 2)).toBe("a\ufffd");
    expect(cutText("a\ud83d\ude00b", 3)).toBe("a\ud83d\ude00");
    expect(cutText("\ude00\ud83d", 10)).toBe("\ufffd\ufffd");
  });

  it("is copied without any change", () => {
    const odd = '"\\\u2028\u2029\ud83d and \ude00, \u0000\u001f\u00ff</script>';
    expect(copyText(odd)).toBe(odd);
  });
});

/** RFC 4291 section 2.2: the eight groups of an address, or undefined. Plain and slow, to compare with. */
function referenceGroups(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const tail = right ?? left;
  if (/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){3}$/.test(tail.at(-1) ?? "")) {
    const [a = 0, b = 0, c = 0, d = 0] = (tail.pop() ?? "").split(".").map(Number);
    if (Math.max(a, b, c, d) > 255) return undefined;
    tail.push((a * 256 + b).toString(16), (c * 256 + d).toString(16));
  }
  const given = [...left, ...(right ?? [])];
  if (!given.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  const missing = 8 - given.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const filled = [...left, ...Array.from({ length: missing }, () => "0"), ...(right ?? [])];
  return filled.map((group) => Number.parseInt(group, 16));
}

/** RFC 5952 section 4, and IPv4 for a mapped address. */
function referenceText(groups: number[]): string {
  const hex = groups.map((group) => group.toString(16)).join(":");
  const mapped = /^(?:0:){5}ffff:/.test(hex);
  if (mapped) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join(".");
  }
  for (let length = 8; length > 1; length--) {
    const run = groups.findIndex((_, at) => {
      const part = groups.slice(at, at + length);
      return part.length === length && part.every((group) => group === 0);
    });
    if (run === -1) continue;
    const text = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
    return `${text(groups.slice(0, run))}::${text(groups.slice(run + length))}`;
  }
  return hex;
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "undefined");
}

function refusal(value: unknown): Error {
  try {
    compileTrust(value);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was not refused.");
}
