export { DEADLINE, FaultBench, RECOVERY } from "./bench.ts";
export { FaultProxy } from "./fault-proxy.ts";
export type {
  ConnectedStore,
  FaultCase,
  FaultHarness,
  FaultOutcome,
  FaultTarget,
  FaultTopic,
  ServerCrash,
  StoreFault,
} from "./harness.ts";
export { LoopWatch } from "./loop-watch.ts";
export { Network } from "./network.ts";
export type { NetworkFault } from "./network-fault.ts";
export type { Person, Reply } from "./person.ts";
export { type FaultCaseResult, runFaultCases } from "./run-case.ts";
export { type FaultSuiteOptions, faultCases, faultSuite } from "./suite.ts";
export type { FaultData, Served } from "./web-app.ts";
