import { describe, expect, it } from "vitest";
import * as api from "../src/api/index.ts";
import * as client from "../src/client/index.ts";
import * as main from "../src/index.ts";
import * as store from "../src/store/index.ts";

/** What each door of the package lets out at run time, by hand: a change here is a change for users. */
const DOORS: readonly [door: string, module: object, names: readonly string[]][] = [
  [
    ".",
    main,
    [
      "SessionError",
      "SessionManager",
      "completeResponse",
      "isSessionError",
      "memoryStore",
      "migrate",
    ],
  ],
  ["./api", api, ["allowLoopback", "createSessionApi"]],
  [
    "./store",
    store,
    [
      "Counters",
      "DURATION_BUCKETS",
      "EMPTY_METADATA",
      "MAX_ENDPOINTS",
      "MAX_RETIRED",
      "RECORD_VERSION",
      "SessionError",
      "applyCommit",
      "applyOps",
      "deadline",
      "entryBytes",
      "equalHashes",
      "freezeJson",
      "initialState",
      "isOutage",
      "isProvisional",
      "isSessionError",
      "jsonBytes",
      "lifecycle",
      "parseRecord",
    ],
  ],
  ["./client", client, ["describeClient"]],
];

describe("the package's doors", () => {
  for (const [door, module, names] of DOORS) {
    it(`${door} exports exactly these`, () => {
      expect(Object.keys(module).sort()).toEqual(names);
    });
  }
});
