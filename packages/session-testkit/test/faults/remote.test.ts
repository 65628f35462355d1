import { faultSuite } from "../../src/faults/index.ts";
import { remoteHarness } from "./remote-harness.ts";

faultSuite("remote", remoteHarness());
