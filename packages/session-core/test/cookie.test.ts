import { parseSetCookie } from "cookie";
import { describe, expect, it } from "vitest";
import {
  type CookieOptions,
  clearSessionCookie,
  cookieName,
  DUPLICATE_COOKIE,
  MAX_COOKIE_AGE,
  MAX_COOKIE_HEADER,
  MAX_COOKIE_PAIRS,
  type ResolvedCookie,
  readCookie,
  resolveCookie,
  serializeSessionCookie,
} from "../src/cookie.ts";
import { parseDuration } from "../src/duration.ts";

const TOKEN = `${"i".repeat(32)}.${"s".repeat(43)}`;
const NAME = "kyb_session_id";

const https = { encrypted: true } as const;
const http = { encrypted: false } as const;

function resolve(options?: CookieOptions): ResolvedCookie {
  return resolveCookie(options, parseDuration);
}

/** What a Set-Cookie value says after its name and value, in any order. */
function attributesOf(setCookie: string): string[] {
  return setCookie.split("; ").slice(1).sort();
}

describe("reading the Cookie header", () => {
  const cases: [title: string, header: string | null | undefined, answer: string | undefined][] = [
    ["answers undefined where there is no header", undefined, undefined],
    ["answers undefined for a header that is null", null, undefined],
    ["answers undefined for an empty header", "", undefined],
    ["finds the only cookie", `${NAME}=abc`, "abc"],
    ["finds the first of several", `${NAME}=abc; theme=dark`, "abc"],
    ["finds the last of several", `theme=dark; ${NAME}=abc`, "abc"],
    ["finds one between others", `theme=dark; ${NAME}=abc; lang=en`, "abc"],
    ["finds it without the space after the semicolon", `theme=dark;${NAME}=abc;lang=en`, "abc"],
    ["trims spaces and tabs around name and value", `a=1; \t ${NAME} \t=\t abc \t ;b=2`, "abc"],
    ["trims nothing else", `${NAME}=\u00a0abc\u00a0`, "\u00a0abc\u00a0"],
    ["keeps spaces inside a value", `${NAME}=a b`, "a b"],
    ["keeps equals signs of the value", `${NAME}=a=b==`, "a=b=="],
    ["keeps quotes as they are", `${NAME}="abc"`, '"abc"'],
    ["keeps percent signs as they are", `${NAME}=a%20b%zz%`, "a%20b%zz%"],
    ["knows an empty value", `${NAME}=`, ""],
    ["knows a value of blanks as empty", `${NAME}= \t ; a=1`, ""],
    ["survives a trailing semicolon", `${NAME}=abc;`, "abc"],
    ["survives empty pairs", `;; ;${NAME}=abc; ;;`, "abc"],
    ["does not take a name without a value", `${NAME}; a=1`, undefined],
    ["does not take a name that ends in ours", `x${NAME}=abc`, undefined],
    ["does not take the prefixed name for the bare one", `__Host-${NAME}=abc`, undefined],
    ["does not take a name that begins with ours", `${NAME}2=abc`, undefined],
    ["does not take our name inside a value", `a=${NAME}=abc`, undefined],
    ["does not take our name after a blank in a value", `a=x ${NAME}=abc`, undefined],
    ["does not take our name in quotes", `"${NAME}"=abc`, undefined],
    ["does not take another case", "KYB_SESSION_ID=abc", undefined],
    ["gives $Version no meaning", `$Version=1; ${NAME}=abc; $Path=/x`, "abc"],
    ["does not split at a comma", `a=1, ${NAME}=abc`, undefined],
    ["finds ours after a look-alike", `x${NAME}=bad; ${NAME}=abc`, "abc"],
    ["finds ours before a look-alike", `${NAME}=abc; a=${NAME}=bad`, "abc"],
  ];
  for (const [title, header, answer] of cases) {
    it(`${title} (R-17)`, () => {
      expect(readCookie(header, NAME)).toBe(answer);
    });
  }

  it("reads the prefixed name", () => {
    expect(readCookie(`${NAME}=bare; __Host-${NAME}=abc`, `__Host-${NAME}`)).toBe("abc");
  });

  it("tells two cookies of the name from one (R-18)", () => {
    expect(readCookie(`${NAME}=a; ${NAME}=b`, NAME)).toBe(DUPLICATE_COOKIE);
    expect(readCookie(`${NAME}=a; x=1; y=2; ${NAME} = b`, NAME)).toBe(DUPLICATE_COOKIE);
    expect(readCookie(`${NAME}=a; ${NAME}=b; ${NAME}=c`, NAME)).toBe(DUPLICATE_COOKIE);
  });

  it("takes two equal values for a duplicate as well, also empty ones (R-18)", () => {
    expect(readCookie(`${NAME}=a; ${NAME}=a`, NAME)).toBe(DUPLICATE_COOKIE);
    expect(readCookie(`${NAME}=; ${NAME}=`, NAME)).toBe(DUPLICATE_COOKIE);
  });

  it("sees 200 pairs and not the next one (R-17)", () => {
    const others = "a;".repeat(MAX_COOKIE_PAIRS - 1);
    expect(readCookie(`${others}${NAME}=abc`, NAME)).toBe("abc");
    expect(readCookie(`a;${others}${NAME}=abc`, NAME)).toBeUndefined();
    expect(readCookie(`${NAME}=abc;${others}${NAME}=beyond`, NAME)).toBe("abc");
    expect(readCookie(`${";".repeat(MAX_COOKIE_PAIRS)}${NAME}=abc`, NAME)).toBeUndefined();
  });

  it("sees what ends within 16 KB and nothing of a pair that goes beyond (R-17)", () => {
    const pair = `${NAME}=abc`;
    const padded = (length: number): string => `a=${"x".repeat(length - 3)};`;
    const room = MAX_COOKIE_HEADER - pair.length;
    expect(readCookie(`${padded(room)}${pair}`, NAME)).toBe("abc");
    expect(readCookie(`${padded(room)}${pair};b=1`, NAME)).toBe("abc");
    expect(readCookie(`${padded(room + 1)}${pair}`, NAME)).toBeUndefined();
    expect(readCookie(`${pair};${padded(room)}${pair}`, NAME)).toBe("abc");
    expect(readCookie(`${NAME}=${"x".repeat(MAX_COOKIE_HEADER)}`, NAME)).toBeUndefined();
  });

  it("agrees with splitting at semicolons on thousands of odd headers (F-50)", () => {
    const parts = [NAME, "=", ";", " ", "\t", "x", '"', "%", ",", `x${NAME}`, "; ", `; ${NAME}=`];
    let seed = 1;
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const seen = { none: 0, one: 0, several: 0 };
    for (let round = 0; round < 20_000; round++) {
      let header = "";
      for (let left = next(14); left > 0; left--) header += parts[next(parts.length)] ?? "";
      const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
      const values = header
        .split(";")
        .filter((pair) => pair.includes("=") && trim(pair.slice(0, pair.indexOf("="))) === NAME)
        .map((pair) => trim(pair.slice(pair.indexOf("=") + 1)));
      const expected = values.length > 1 ? DUPLICATE_COOKIE : values[0];
      if (readCookie(header, NAME) !== expected) {
        throw new Error(`${JSON.stringify(header)} should be ${String(expected)}`);
      }
      seen[values.length > 1 ? "several" : values.length === 1 ? "one" : "none"]++;
    }
    expect(Math.min(seen.none, seen.one, seen.several)).toBeGreaterThan(500);
  });

  it("reads the worst headers in under a millisecond (F-45, R-49)", () => {
    const worst = [
      `${"a=b;".repeat(4000)}${NAME}=abc`,
      `${NAME} `.repeat(1000),
      `${NAME};`.repeat(1000),
      `${" ".repeat(8000)}${NAME}${" ".repeat(8000)}=abc`,
      `a=${`${NAME}=`.repeat(1000)}`,
      ";".repeat(65_536),
      `${NAME}=`.repeat(100_000),
    ];
    for (const header of worst) {
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 20; run++) {
        const start = performance.now();
        readCookie(header, NAME);
        best = Math.min(best, performance.now() - start);
      }
      expect(best).toBeLessThan(1);
    }
  });
});

describe("the cookie's name", () => {
  it("has the prefix over https and is bare over http (R-11, R-13)", () => {
    expect(cookieName(resolve(), true)).toBe("__Host-kyb_session_id");
    expect(cookieName(resolve(), false)).toBe("kyb_session_id");
  });

  it("is bare where domain or path forbid the prefix (R-12)", () => {
    expect(cookieName(resolve({ domain: "example.com" }), true)).toBe("kyb_session_id");
    expect(cookieName(resolve({ path: "/app" }), true)).toBe("kyb_session_id");
  });

  it("follows `secure` where that does not leave it to the connection", () => {
    expect(cookieName(resolve({ secure: true }), false)).toBe("__Host-kyb_session_id");
    expect(cookieName(resolve({ secure: false }), true)).toBe("kyb_session_id");
  });
});

describe("handing out a token", () => {
  it("sets over https exactly the default attributes (R-11)", () => {
    const setCookie = serializeSessionCookie(resolve(), TOKEN, https);
    expect(setCookie.startsWith(`__Host-kyb_session_id=${TOKEN}; `)).toBe(true);
    expect(attributesOf(setCookie)).toEqual(["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]);
  });

  it("sets over http the bare name without Secure (R-13)", () => {
    const setCookie = serializeSessionCookie(resolve(), TOKEN, http);
    expect(setCookie.startsWith(`kyb_session_id=${TOKEN}; `)).toBe(true);
    expect(attributesOf(setCookie)).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
  });

  it("says what the options say", () => {
    const cookie = resolve({
      name: "sid",
      httpOnly: false,
      sameSite: "none",
      path: "/app",
      domain: "example.com",
      partitioned: true,
    });
    const setCookie = serializeSessionCookie(cookie, TOKEN, https);
    expect(setCookie.startsWith(`sid=${TOKEN}; `)).toBe(true);
    expect(attributesOf(setCookie)).toEqual([
      "Domain=example.com",
      "Partitioned",
      "Path=/app",
      "SameSite=None",
      "Secure",
    ]);
  });

  it("sends over http neither None nor Partitioned, which browsers refuse there (R-12)", () => {
    const cookie = resolve({ sameSite: "none", partitioned: true });
    expect(attributesOf(serializeSessionCookie(cookie, TOKEN, http))).toEqual([
      "HttpOnly",
      "Path=/",
      "SameSite=Lax",
    ]);
  });

  it("sets Secure over http where that was asserted", () => {
    const setCookie = serializeSessionCookie(resolve({ secure: true }), TOKEN, http);
    expect(attributesOf(setCookie)).toContain("Secure");
  });

  it("is persistent only with an age, in whole seconds and at most 400 days (R-14, R-20)", () => {
    const aged = (maxAgeSeconds: number): string =>
      serializeSessionCookie(resolve(), TOKEN, { ...https, maxAgeSeconds });
    expect(attributesOf(aged(3600))).toContain("Max-Age=3600");
    expect(attributesOf(aged(59.9))).toContain("Max-Age=59");
    expect(attributesOf(aged(MAX_COOKIE_AGE + 1))).toContain("Max-Age=34560000");
    expect(attributesOf(aged(Number.POSITIVE_INFINITY))).toContain("Max-Age=34560000");
    expect(attributesOf(aged(-5))).toContain("Max-Age=0");
    expect(serializeSessionCookie(resolve(), TOKEN, https).includes("Max-Age")).toBe(false);
  });

  it("stays within 4096 bytes with the longest name and token that are allowed (R-14)", () => {
    let longest = "n";
    while (accepts({ name: `${longest}n` })) longest += "n";
    const token = `${"i".repeat(64)}.${"s".repeat(43)}`;
    const [pair = ""] = serializeSessionCookie(resolve({ name: longest }), token, https).split(";");
    expect(pair.length - 1).toBe(4096);
  });

  it("is read back as it was written, whatever the options (F-51)", () => {
    const each: CookieOptions[] = [
      {},
      { name: "a.b!#$%&'*+-^_`|~" },
      { path: "/a b/c%20,=" },
      { domain: "a.b-c.example" },
      { partitioned: true },
      { sameSite: "lax", httpOnly: false },
    ];
    for (const options of each) {
      for (const connection of [https, http]) {
        const cookie = resolve(options);
        const setCookie = serializeSessionCookie(cookie, TOKEN, connection);
        const name = cookieName(cookie, connection.encrypted);
        expect(readCookie(setCookie.split(";")[0], name)).toBe(TOKEN);
        const read = parseSetCookie(setCookie);
        expect(read.name).toBe(name);
        expect(read.path).toBe(cookie.path);
        expect(read.domain).toBe(cookie.domain);
      }
    }
  });
});

describe("clearing the cookie", () => {
  const variants: CookieOptions[] = [
    {},
    { name: "sid", path: "/app", domain: "example.com", sameSite: "lax", httpOnly: false },
    { secure: true },
    { secure: false },
  ];
  it("uses the attributes it was set with, and an end in the past (R-19)", () => {
    for (const options of variants) {
      for (const connection of [https, http]) {
        const cookie = resolve(options);
        const set = attributesOf(serializeSessionCookie(cookie, TOKEN, connection));
        const [cleared = "", ...more] = clearSessionCookie(cookie, connection);
        expect(more).toEqual([]);
        expect(cleared.startsWith(`${cookieName(cookie, connection.encrypted)}=; `)).toBe(true);
        expect(attributesOf(cleared)).toEqual(
          [...set, "Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"].sort(),
        );
      }
    }
  });

  it("clears the unpartitioned cookie too where it is partitioned (R-19)", () => {
    const cookie = resolve({ partitioned: true });
    const [first = "", second = "", ...more] = clearSessionCookie(cookie, https);
    expect(attributesOf(first)).toContain("Partitioned");
    expect(attributesOf(second)).toEqual(
      attributesOf(first).filter((attribute) => attribute !== "Partitioned"),
    );
    expect(more).toEqual([]);
    expect(clearSessionCookie(cookie, http)).toHaveLength(1);
  });
});

describe("the cookie options", () => {
  it("are complete and frozen without any", () => {
    const cookie = resolve();
    expect(cookie).toEqual({
      name: "kyb_session_id",
      secureName: "__Host-kyb_session_id",
      secure: "auto",
      httpOnly: true,
      sameSite: "strict",
      path: "/",
      domain: undefined,
      partitioned: false,
      maxAge: undefined,
    });
    expect(Object.isFrozen(cookie)).toBe(true);
  });

  it("are not changed by later changes of what was passed", () => {
    const options: CookieOptions = { name: "sid" };
    const cookie = resolve(options);
    options.name = "other";
    expect(cookie.name).toBe("sid");
  });

  it("read a lifetime", () => {
    expect(resolve({ maxAge: "absolute" }).maxAge).toBe("absolute");
    expect(resolve({ maxAge: "7d" }).maxAge).toBe(604_800_000);
    expect(resolve({ maxAge: 1000 }).maxAge).toBe(1000);
  });

  const refused: [options: unknown, ...words: string[]][] = [
    ["sid", "cookie must be an object", '"sid"'],
    [null, "cookie must be an object", "null"],
    [{ maxage: 5 }, "cookie.maxage is not an option"],
    [{ name: "" }, "cookie.name", '""'],
    [{ name: "a b" }, "cookie.name", '"a b"'],
    [{ name: "a=b" }, "cookie.name", '"a=b"'],
    [{ name: "a;b" }, "cookie.name", '"a;b"'],
    [{ name: "sid\n" }, "cookie.name", '"sid\\n"'],
    [{ name: "sitzung\u00e9" }, "cookie.name"],
    [{ name: "n".repeat(4096) }, "cookie.name", "at most"],
    [{ name: 5 }, "cookie.name", "got 5"],
    [{ name: null }, "cookie.name", "got null"],
    [{ name: "__Host-sid" }, "cookie.name", "without __Host-", '"__Host-sid"'],
    [{ name: "__secure-sid" }, "cookie.name", "without __Host-", '"__secure-sid"'],
    [{ name: "__HTTP-sid" }, "cookie.name", "without __Host-"],
    [{ name: "__Host-Http-sid" }, "cookie.name", "without __Host-"],
    [{ path: "app" }, "cookie.path", '"app"'],
    [{ path: "" }, "cookie.path", '""'],
    [{ path: "/a;b" }, "cookie.path", '"/a;b"'],
    [{ path: "/a\r\nSet-Cookie: x=y" }, "cookie.path"],
    [{ path: "/\u00fc" }, "cookie.path"],
    [{ path: `/${"p".repeat(1024)}` }, "cookie.path", "at most 1024"],
    [{ domain: "" }, "cookie.domain", '""'],
    [{ domain: ".example.com" }, "cookie.domain", "without a leading dot", '".example.com"'],
    [{ domain: "example.com." }, "cookie.domain"],
    [{ domain: "exa mple.com" }, "cookie.domain"],
    [{ domain: "example.com; Path=/" }, "cookie.domain"],
    [{ domain: "-a.example" }, "cookie.domain"],
    [{ domain: `${"a".repeat(64)}.example` }, "cookie.domain"],
    [{ domain: "https://example.com" }, "cookie.domain"],
    [{ secure: "yes" }, "cookie.secure", '"auto", true, false', '"yes"'],
    [{ secure: null }, "cookie.secure", "null"],
    [{ httpOnly: "true" }, "cookie.httpOnly", '"true"'],
    [{ sameSite: "Strict" }, "cookie.sameSite", '"strict", "lax", "none"', '"Strict"'],
    [{ sameSite: true }, "cookie.sameSite", "true"],
    [{ sameSite: "none", secure: false }, "cookie.sameSite", "cookie.secure is false"],
    [{ partitioned: 1 }, "cookie.partitioned", "got 1"],
    [{ partitioned: true, secure: false }, "cookie.partitioned", "cookie.secure is false"],
    [{ maxAge: "soon" }, "cookie.maxAge", '"soon"'],
    [{ maxAge: 0 }, "cookie.maxAge", "at least one second", "0"],
    [{ maxAge: 999 }, "cookie.maxAge", "999"],
    [{ maxAge: null }, "cookie.maxAge", "null"],
  ];
  for (const [options, ...words] of refused) {
    const shown = JSON.stringify(options).slice(0, 60);
    it(`refuses ${shown} and says why (R-12)`, () => {
      const error = refusal(options);
      expect(error).toMatchObject({ name: "SessionError", code: "INVALID_CONFIG" });
      for (const word of words) expect(error.message).toContain(word);
    });
  }
});

function refusal(options: unknown): Error {
  try {
    resolve(options as CookieOptions);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was not refused.");
}

function accepts(options: CookieOptions): boolean {
  try {
    resolve(options);
    return true;
  } catch {
    return false;
  }
}
