import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findSha256, RandomText, systemRandom, toBase64url } from "../src/environment.ts";
import { failureOf, World } from "./support/world.ts";

interface Platform {
  process?: { getBuiltinModule?: unknown };
}

describe("SHA-256", () => {
  const platform = globalThis as Platform;
  let original: PropertyDescriptor | undefined;

  beforeEach(() => {
    original = Object.getOwnPropertyDescriptor(platform, "process");
  });
  afterEach(() => {
    if (original !== undefined) Object.defineProperty(platform, "process", original);
  });

  /** The hash as found on a platform with this `process`. */
  function hashWith(process: unknown): (text: string) => string {
    Object.defineProperty(platform, "process", {
      value: process,
      configurable: true,
      writable: true,
    });
    return findSha256();
  }

  it("answers the published test vectors, as base64url without padding", () => {
    for (const sha256 of [findSha256(), hashWith(undefined)]) {
      expect(sha256("")).toBe("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
      expect(sha256("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }
  });

  it("is the same from the platform and from the portable library", () => {
    const own = findSha256();
    const portable = hashWith(undefined);
    for (let length = 0; length < 200; length++) {
      const text = "0123456789-_azAZ".repeat(13).slice(0, length);
      expect(portable(text)).toBe(own(text));
    }
  });

  it("takes the platform's hash where there is one", () => {
    const sha256 = hashWith({
      getBuiltinModule: (id: string) =>
        id === "node:crypto"
          ? {
              hash: (name: string, data: string, encoding: string) => `${name} ${data} ${encoding}`,
            }
          : undefined,
    });
    expect(sha256("text")).toBe("sha256 text base64url");
  });

  it("does without where a platform has no such module, or one without a hash", () => {
    for (const process of [
      {},
      { getBuiltinModule: () => undefined },
      { getBuiltinModule: () => ({}) },
    ]) {
      expect(hashWith(process)("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }
  });
});

describe("base64url", () => {
  it("is that of RFC 4648, §5 and §10, without padding", () => {
    const encoder = new TextEncoder();
    for (const [text, encoded] of [
      ["", ""],
      ["f", "Zg"],
      ["fo", "Zm8"],
      ["foo", "Zm9v"],
      ["foob", "Zm9vYg"],
      ["fooba", "Zm9vYmE"],
      ["foobar", "Zm9vYmFy"],
    ] as const) {
      expect(toBase64url(encoder.encode(text))).toBe(encoded);
    }
    expect(toBase64url(new Uint8Array([0xfb, 0xff, 0xbf]))).toBe("-_-_");
  });
});

describe("random text", () => {
  it("has as many characters as are asked for", () => {
    const random = new RandomText(systemRandom);
    for (let length = 1; length < 100; length++) {
      expect(random.characters(length)).toMatch(new RegExp(`^[\\w-]{${length}}$`));
    }
    expect(random.secret()).toHaveLength(43);
  });

  it("draws nothing before it is first asked", () => {
    let draws = 0;
    const random = new RandomText((bytes) => {
      draws += 1;
      systemRandom(bytes);
    });
    expect(draws).toBe(0);
    random.secret();
    expect(draws).toBe(1);
  });

  it("hands out every byte once", () => {
    let next = 0;
    const random = new RandomText((bytes) => {
      for (let index = 0; index < bytes.length; index++) bytes[index] = next++ % 251;
    });
    const seen = new Set<string>();
    // 250 draws of 32 bytes are several pools; a sequence with the period 251 never repeats in them.
    for (let draw = 0; draw < 250; draw++) seen.add(random.secret());
    expect(seen.size).toBe(250);
  });

  it("fails where the source fails, again and again, and never falls back (R-02)", () => {
    const random = new RandomText(() => {
      throw new Error("no entropy");
    });
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => random.secret()).toThrow("randomness failed");
      expect(() => random.characters(8)).toThrow("randomness failed");
    }
  });
});

describe("a source of randomness that fails (R-02)", () => {
  const broken = (): never => {
    throw new Error("no entropy");
  };

  it("makes no session for a visitor, whose request fails", async () => {
    const world = new World({ random: broken });
    const error = await failureOf(world.browser().open());
    expect(error).toMatchObject({ name: "SessionError", code: "UNSUPPORTED" });
    expect((error as Error).cause).toMatchObject({ message: "no entropy" });
    expect((await world.manager.list({ status: "all" })).total).toBe(0);
  });

  it("makes no session for a caller of create", async () => {
    const world = new World({ random: broken });
    await expect(world.manager.create({ userId: "alice" })).rejects.toThrow("randomness failed");
    expect((await world.manager.list({ status: "all" })).total).toBe(0);
  });

  it("leaves the session as it was where a sign-in needed it", async () => {
    let works = true;
    const world = new World({
      random: (bytes) => {
        if (!works) broken();
        systemRandom(bytes);
      },
    });
    const browser = world.browser();
    const { session } = await browser.request();
    works = false;
    // The pool that was drawn before has to be used up first.
    const failures: unknown[] = [];
    for (let attempt = 0; attempt < 200; attempt++) {
      const visit = await browser.open();
      try {
        await visit.session.regenerate();
      } catch (error) {
        failures.push(error);
        break;
      } finally {
        await browser.answer(visit);
      }
    }
    expect(failures).toHaveLength(1);
    const visit = await browser.open();
    expect(visit.session.id).toBe(session.id);
    expect(visit.session.state).toBe("ok");
  });
});
