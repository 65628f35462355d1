// Stores

export type { StoreBench } from "./store/bench.ts";
export type {
  Effort,
  StoreCase,
  StoreHarness,
  StoreTopic,
  StoreUnderTest,
} from "./store/harness.ts";
export {
  exploreRaces,
  type RaceReport,
  type RaceRun,
  RaceViolation,
  replayRace,
} from "./store/races/explore.ts";
export { runStoreCases, type StoreCaseResult } from "./store/run-case.ts";
export { storeCases } from "./store/store-cases.ts";
export { type StoreSuiteOptions, storeSuite } from "./store/suite.ts";

// Adapters

export type { AdapterBench, App, AppOptions } from "./adapter/bench.ts";
export type {
  AdapterApp,
  AdapterCase,
  AdapterHarness,
  AdapterTopic,
  FetchHandler,
  HostAbility,
  Layer,
  RouteContext,
  RouteHandler,
  RunningHost,
  TestData,
} from "./adapter/harness.ts";
export type { Reply, ReplyBody, Write } from "./adapter/reply.ts";
export { type AdapterCaseResult, runAdapterCases } from "./adapter/run-case.ts";
export { type AdapterSuiteOptions, adapterCases, adapterSuite } from "./adapter/suite.ts";

// For every suite

export { type ConformanceCount, countInto } from "./conformance-count.ts";
export { describeWithServer, type ServerKinds } from "./describe-with-server.ts";
export { isLongForm } from "./long-form.ts";
