import * as core from "@kyb/session-core";
import { describe, expect, it } from "vitest";
import * as main from "../src/index.ts";

describe("the package", () => {
  it("exports the core, the three of every adapter, and what adapters are made of", () => {
    const own = Object.keys(main).filter((name) => !(name in core));
    expect(own.sort()).toEqual([
      "allowLoopback",
      "apiPathGuess",
      "attach",
      "clearHead",
      "connectionOf",
      "fromExpressStore",
      "headOf",
      "mount",
      "serve",
      "session",
      "sessionApi",
      "sessionOf",
      "urlOf",
      "visitOf",
    ]);
    for (const name of Object.keys(core)) expect(main).toHaveProperty(name);
  });
});
