import { describe, expect, it } from "vitest";
import { findSha256, RandomText, systemRandom } from "../src/environment.ts";
import { memoryStore } from "../src/memory/memory-store.ts";
import { equalHashes, formatToken, matchSecret, parseToken, RETIRED_MEMORY } from "../src/token.ts";
import { MINUTE, START } from "./support/clock.ts";
import { CountingStore } from "./support/counting-store.ts";
import { hashOf, stateOf } from "./support/records.ts";
import { World } from "./support/world.ts";

const ID = "i".repeat(32);
const SECRET = "s".repeat(43);

describe("a token (R-01)", () => {
  const random = new RandomText(systemRandom);

  it("is a public id and 43 characters of base64url, with a dot between", async () => {
    const world = new World();
    const { token, session } = await world.manager.create();
    expect(token).toMatch(/^[\w-]{32}\.[\w-]{43}$/);
    expect(token.slice(0, 32)).toBe(session.id);
  });

  it("has an id as long as sessionIdLength says, and always 256 bits of secret", async () => {
    for (const sessionIdLength of [22, 33, 64]) {
      const { token } = await new World({ sessionIdLength }).manager.create();
      expect(token).toHaveLength(sessionIdLength + 1 + 43);
    }
  });

  it("never repeats: 100,000 secrets and 100,000 ids are all different", () => {
    const secrets = new Set<string>();
    const ids = new Set<string>();
    for (let index = 0; index < 100_000; index++) {
      secrets.add(random.secret());
      ids.add(random.characters(32));
    }
    expect(secrets.size).toBe(100_000);
    expect(ids.size).toBe(100_000);
  });

  it("uses all of its bits: each of the 256 is set in about half of the secrets", () => {
    const count = 4096;
    const set = new Array<number>(256).fill(0);
    for (let index = 0; index < count; index++) {
      for (const [bit, value] of bitsOf(random.secret()).entries())
        set[bit] = (set[bit] ?? 0) + value;
    }
    // Seven standard deviations from the mean: 32 each way.
    const deviation = 7 * Math.sqrt(count / 4);
    expect(Math.min(...set)).toBeGreaterThan(count / 2 - deviation);
    expect(Math.max(...set)).toBeLessThan(count / 2 + deviation);
  });
});

describe("parsing a token", () => {
  it("is the inverse of formatting it", () => {
    for (const id of ["a".repeat(22), ID, "-_AZaz09".repeat(8)]) {
      expect(parseToken(formatToken({ id, secret: SECRET }))).toEqual({ id, secret: SECRET });
    }
  });

  const malformed: [title: string, text: string][] = [
    ["nothing", ""],
    ["a secret alone", SECRET],
    ["an id alone", ID],
    ["no secret", `${ID}.`],
    ["no id", `.${SECRET}`],
    ["an id that is too short", `${"i".repeat(21)}.${SECRET}`],
    ["an id that is too long", `${"i".repeat(65)}.${SECRET}`],
    ["a secret that is too short", `${ID}.${"s".repeat(42)}`],
    ["a secret that is too long", `${ID}.${"s".repeat(44)}`],
    ["two dots", `${ID}..${"s".repeat(42)}`],
    ["a dot in the id", `${"i".repeat(20)}.${"i".repeat(11)}.${SECRET}`],
    ["another separator", `${ID}:${SECRET}`],
    ["a percent sign", `${"i".repeat(29)}%20.${SECRET}`],
    ["a space inside", `${"i".repeat(20)} ${"i".repeat(11)}.${SECRET}`],
    ["a line end", `${ID}.${"s".repeat(42)}\n`],
    ["padding", `${ID}.${"s".repeat(42)}=`],
    ["plus and slash", `${ID}.${"s".repeat(41)}+/`],
    ["a letter that is not ASCII", `${ID}.${"s".repeat(42)}ß`],
    ["a null character", `${ID}.${"s".repeat(42)}\0`],
    ["quotes", `"${"i".repeat(30)}".${SECRET}`],
    ["a path", `${"../".repeat(10)}ii.${SECRET}`],
    ["a megabyte", "a".repeat(1_048_576)],
  ];

  for (const [title, text] of malformed) {
    it(`refuses ${title} without a store call (R-04)`, async () => {
      expect(parseToken(text)).toBeUndefined();

      const counting = new CountingStore(memoryStore());
      const world = new World({
        store: counting.store,
        create: "write",
        transports: ["cookie", "bearer", "header"],
      });
      const get = (name: string): string | null => {
        switch (name) {
          case "cookie":
            return `__Host-kyb_session_id=${text}`;
          case "authorization":
            return `Bearer ${text}`;
          case "x-session-id":
            return text;
          default:
            return null;
        }
      };
      const visit = await world.manager.visit(
        { method: "GET", url: "/", headers: { get } },
        { encrypted: true },
      );
      expect(visit.session.id).toBe("");
      expect(counting.take()).toEqual([]);
    });
  }

  it("costs one find where the token is well-formed", async () => {
    const counting = new CountingStore(memoryStore());
    const world = new World({ store: counting.store, create: "write" });
    await world.browser().open({ cookie: `__Host-kyb_session_id=${ID}.${SECRET}` });
    expect(counting.take()).toEqual(["find"]);
  });
});

describe("comparing hashes (R-09)", () => {
  it("tells equal ones from others", () => {
    expect(equalHashes(hashOf("a"), hashOf("a"))).toBe(true);
    expect(equalHashes("", "")).toBe(true);
    expect(equalHashes(hashOf("a"), hashOf("b"))).toBe(false);
    expect(equalHashes(`${hashOf("a")}x`, hashOf("a"))).toBe(false);
  });

  it("notices a difference at every place", () => {
    const hash = findSha256()("secret");
    for (let index = 0; index < hash.length; index++) {
      const changed = `${hash.slice(0, index)}~${hash.slice(index + 1)}`;
      expect(equalHashes(hash, changed)).toBe(false);
    }
  });

  it("looks at every character, wherever the first difference is", () => {
    const looks = (first: number): number => {
      const looked = new CountingText(first);
      equalHashes(looked as unknown as string, "s".repeat(43));
      return looked.looks;
    };
    expect(looks(0)).toBe(43);
    expect(looks(42)).toBe(43);
  });
});

describe("what a presented secret is to a session", () => {
  const state = stateOf({
    secretHash: hashOf("current"),
    pending: { hash: hashOf("pending"), nonce: "n", at: START },
    retired: [
      { hash: hashOf("rotated"), at: START, kind: "rotated" },
      { hash: hashOf("signed in"), at: START, kind: "sign-in" },
      { hash: hashOf("regenerated"), at: START, kind: "regenerated" },
    ],
  });
  const match = (label: string, now = START): string =>
    matchSecret(state, hashOf(label), now, 5 * MINUTE);

  it("knows the current one, its offered successor and a stranger", () => {
    expect(match("current")).toBe("current");
    expect(match("pending")).toBe("pending");
    expect(match("other")).toBe("unknown");
  });

  it("lets a predecessor replaced by time work for the grace, and calls it reused from then on", () => {
    expect(match("rotated", START + 5 * MINUTE - 1)).toBe("grace");
    expect(match("rotated", START + 5 * MINUTE)).toBe("reused");
    expect(match("rotated", START + 500 * MINUTE)).toBe("reused");
  });

  it("remembers one that died at once for 60 seconds, then it is a stranger", () => {
    expect(RETIRED_MEMORY).toBe(MINUTE);
    for (const label of ["signed in", "regenerated"]) {
      expect(match(label)).toBe("retired");
      expect(match(label, START + MINUTE - 1)).toBe("retired");
      expect(match(label, START + MINUTE)).toBe("unknown");
    }
  });
});

/** A text that counts how often a character is looked at; it differs from all `s` at one place. */
class CountingText {
  readonly length = 43;
  looks = 0;
  readonly #different: number;

  constructor(different: number) {
    this.#different = different;
  }

  charCodeAt(index: number): number {
    this.looks += 1;
    return index === this.#different ? 120 : 115;
  }
}

function bitsOf(secret: string): number[] {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bits: number[] = [];
  for (const character of secret) {
    const value = alphabet.indexOf(character);
    for (let bit = 5; bit >= 0; bit--) bits.push((value >> bit) & 1);
  }
  return bits.slice(0, 256);
}
