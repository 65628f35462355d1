import * as core from "@kyb/session-core";
import { describe, expect, it } from "vitest";
import * as main from "../src/index.ts";
import * as pure from "../src/pure.ts";

describe("the package", () => {
  it("exports the core, the three of every adapter, and little else, the same through both doors", () => {
    const own = Object.keys(main).filter((name) => !(name in core));
    expect(own.sort()).toEqual(["allowLoopback", "mount", "session", "sessionApi", "sessionOf"]);
    for (const name of Object.keys(core)) expect(main).toHaveProperty(name);
    expect(Object.keys(pure).sort()).toEqual(Object.keys(main).sort());
  });
});
