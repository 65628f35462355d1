import { faultSuite } from "@kyb/session-testkit/faults";
import { remoteHarness } from "./remote-harness.ts";

faultSuite("remote", remoteHarness());
