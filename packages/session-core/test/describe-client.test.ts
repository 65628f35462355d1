import { describe, expect, it } from "vitest";
import { type ClientDescription, describeClient } from "../src/client/index.ts";

const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

describe("describing a client", () => {
  const cases: [userAgent: string, description: ClientDescription][] = [
    [
      `${WINDOWS} ${WEBKIT} Chrome/128.0.0.0 Safari/537.36`,
      {
        browser: { name: "Chrome", version: "128.0.0.0" },
        system: { name: "Windows" },
        device: "desktop",
        bot: false,
        label: "Chrome 128 on Windows",
      },
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
      {
        browser: { name: "Firefox", version: "128.0" },
        system: { name: "Windows" },
        device: "desktop",
        bot: false,
        label: "Firefox 128 on Windows",
      },
    ],
    [
      "Mozilla/5.0 (Windows NT 6.1; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0",
      {
        browser: { name: "Firefox", version: "115.0" },
        system: { name: "Windows", version: "7" },
        device: "desktop",
        bot: false,
        label: "Firefox 115 on Windows",
      },
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      {
        browser: { name: "Safari", version: "17.5" },
        system: { name: "iOS", version: "17.5" },
        device: "mobile",
        bot: false,
        label: "Safari 17 on iOS",
      },
    ],
    [
      "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
      {
        browser: { name: "Safari", version: "16.6" },
        system: { name: "iOS", version: "16.6" },
        device: "tablet",
        bot: false,
        label: "Safari 16 on iOS",
      },
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
      {
        browser: { name: "Safari", version: "17.5" },
        system: { name: "macOS" },
        device: "desktop",
        bot: false,
        label: "Safari 17 on macOS",
      },
    ],
    [
      `${WINDOWS} ${WEBKIT} Chrome/128.0.0.0 Safari/537.36 Edg/128.0.2739.42`,
      {
        browser: { name: "Microsoft Edge", version: "128.0.2739.42" },
        system: { name: "Windows" },
        device: "desktop",
        bot: false,
        label: "Microsoft Edge 128 on Windows",
      },
    ],
    [
      `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${WEBKIT} Chrome/128.0.0.0 Mobile Safari/537.36`,
      {
        browser: { name: "Chrome", version: "128.0.0.0" },
        system: { name: "Android", version: "14" },
        device: "mobile",
        bot: false,
        label: "Chrome 128 on Android",
      },
    ],
    [
      `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/128.0.0.0 Mobile Safari/537.36`,
      {
        browser: { name: "Chrome", version: "128.0.0.0" },
        system: { name: "Android" },
        device: "mobile",
        bot: false,
        label: "Chrome 128 on Android",
      },
    ],
    [
      `Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) ${WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
      {
        browser: { name: "Samsung Internet", version: "25.0" },
        system: { name: "Android", version: "14" },
        device: "mobile",
        bot: false,
        label: "Samsung Internet 25 on Android",
      },
    ],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/128.0.0.0 Safari/537.36`,
      {
        browser: { name: "Chrome", version: "128.0.0.0" },
        system: { name: "Chrome OS" },
        device: "desktop",
        bot: false,
        label: "Chrome 128 on Chrome OS",
      },
    ],
    [
      `Mozilla/5.0 (SMART-TV; Linux; Tizen 6.5) ${WEBKIT} 85.0.4183.93/6.5 TV Safari/537.36`,
      {
        browser: { name: "Tizen" },
        system: { name: "Tizen", version: "6.5" },
        device: "tv",
        bot: false,
        label: "Tizen",
      },
    ],
    [
      "curl/8.5.0",
      {
        browser: { name: "curl", version: "8.5.0" },
        device: "bot",
        bot: true,
        label: "curl 8.5",
      },
    ],
    [
      "python-requests/2.31.0",
      {
        browser: { name: "python-requests", version: "2.31.0" },
        device: "bot",
        bot: true,
        label: "python-requests 2.31",
      },
    ],
    ["node", { browser: { name: "node" }, device: "bot", bot: true, label: "node" }],
    [
      "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
      {
        browser: { name: "Googlebot", version: "2.1" },
        device: "bot",
        bot: true,
        label: "Googlebot 2.1",
      },
    ],
    [
      `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${WEBKIT} Chrome/128.0.6613.84 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
      {
        browser: { name: "Googlebot", version: "2.1" },
        system: { name: "Android", version: "6.0.1" },
        device: "bot",
        bot: true,
        label: "Googlebot 2.1 on Android",
      },
    ],
    ["", { device: "unknown", bot: false, label: "Unknown client" }],
    [" \t ", { device: "unknown", bot: false, label: "Unknown client" }],
  ];
  for (const [userAgent, description] of cases) {
    it(`knows ${JSON.stringify(userAgent).slice(0, 100)}`, () => {
      expect(describeClient(userAgent)).toEqual(description);
    });
  }

  it("looks at 512 characters and no further", () => {
    const padded = (length: number): string => `${" ".repeat(length)}curl/8.5.0`;
    expect(describeClient(padded(512 - 10)).label).toBe("curl 8.5");
    expect(describeClient(padded(512)).label).toBe("Unknown client");
  });

  it("finds nothing to say about 10 kB of junk", () => {
    expect(describeClient("x".repeat(10_000))).toMatchObject({ label: "Unknown client" });
    expect(describeClient("(".repeat(10_000))).toMatchObject({ label: "Unknown client" });
    expect(describeClient("\u0000".repeat(10_000))).toMatchObject({ label: "Unknown client" });
  });

  it("shows no markup, control or direction characters of a hostile text", () => {
    const hostile = [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(1)>/1.0 (x)",
      "Evil<b>/1.0 (x)",
      "Firefox/1<img>",
      "curl/<b>8</b>",
      `Mozilla/5.0 (Windows NT 10.0) Firefox/<script>alert(1)</script>`,
      "a\u202egnp.exe/1.0 (x)",
      "a\r\nSet-Cookie: x=y/1.0",
      "a\u001b[31m/1.0",
      '"><svg/onload=alert(1)>/2.0 (y)',
      "=cmd|'/C calc'!A0/1.0 (z)",
      "__proto__/1.0",
      "constructor",
      "{{7*7}}/{{7*7}}",
      "\ud800/\udc00",
    ];
    for (const userAgent of hostile) {
      const { label, browser, system } = describeClient(userAgent);
      const shown = [label, browser?.name, browser?.version, system?.name, system?.version];
      expect(shown.join(" ")).toBe(shown.join(" ").replace(/[^\p{L}\p{N} ._+-]/gu, "?"));
    }
  });

  it("never throws, and never takes long, whatever is put together", () => {
    const parts = [
      ..."0 1 9 / ( ) ; , . _ - : + < > % \\ \u0000 \ud800".split(" "),
      ..."Mozilla/5.0 Version/ version/1_ Android Windows NT Mac_OS_X iPhone iPad".split(" "),
      ..."Chrome/ Firefox/ Safari/ Edg/ OPR/ SamsungBrowser/ MSIE Trident/7.0 rv:".split(" "),
      ..."Linux Tizen Web0S PlayStation CrOS bot Googlebot/ curl/ http:// compatible".split(" "),
      ..."KHTML like Gecko Mobile Tablet Build/ Nexus Opera Mini CPU OS WebView wv".split(" "),
      " ",
      " ",
      "1.1.1.1.1.1.1.1.1.1.1.1.1",
      "1_1_1_1_1_1_1_1_1_1_1_1_1",
      "1".repeat(100),
      " ".repeat(100),
      "a".repeat(100),
    ];
    let seed = 3;
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    let slowest = 0;
    for (let round = 0; round < 3000; round++) {
      let userAgent = "";
      for (let left = next(40); left > 0; left--) userAgent += parts[next(parts.length)] ?? "";
      let best = Number.POSITIVE_INFINITY;
      // A pause of the machine is not ours: the better of up to three runs counts.
      for (let run = 0; run < 3 && best > 20; run++) {
        const start = performance.now();
        const { label, bot, device } = describeClient(userAgent);
        best = Math.min(best, performance.now() - start);
        expect(label.length).toBeGreaterThan(0);
        expect(device === "bot").toBe(bot);
      }
      slowest = Math.max(slowest, best);
    }
    expect(slowest).toBeLessThan(20);
  });
});
