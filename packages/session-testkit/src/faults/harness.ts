import type { SessionConfig, SessionErrorCode } from "@kyb/session-core";
import type { MaybePromise, SessionStore } from "@kyb/session-core/store";
import type { FaultBench } from "./bench.ts";
import type { FaultData } from "./web-app.ts";

/** How the fault suite gets at a store whose server is behind a network. */
export interface FaultHarness<Target extends FaultTarget = FaultTarget> {
  /** A server with an empty store in it, once for each case: a new prefix or schema where that is cheaper. */
  open(): MaybePromise<Target>;
  /** What else can happen to this server; each becomes a case. */
  readonly faults?: readonly StoreFault<Target>[];
  /** The server can die and come back; see {@link ServerCrash}. */
  readonly crash?: ServerCrash<Target>;
  /** Changes the configuration of the manager that is tested, not what the suite demands of it. */
  readonly config?: Omit<SessionConfig<FaultData>, "store">;
}

/** One empty store on a server. */
export interface FaultTarget {
  /** Where the server listens on 127.0.0.1; a cluster has several. */
  readonly ports: readonly number[];
  /**
   * A store with connections of its own, ready for use, that reaches each of `ports` by the port that has the same place
   * in `via`. Called twice: once through the network that is broken, once past it.
   */
  connect(via: readonly number[]): MaybePromise<ConnectedStore>;
  /** Lets go of what `open` took. */
  close?(): MaybePromise<void>;
}

/** A store, and how to let go of what is under it. */
export interface ConnectedStore {
  readonly store: SessionStore;
  /** Ends the connections; called after `store.close()`. */
  close?(): MaybePromise<void>;
}

/** The death of the server (F-13). */
export interface ServerCrash<Target extends FaultTarget = FaultTarget> {
  /** As by `kill -9`; resolves when nobody listens any more. */
  kill(target: Target): MaybePromise<void>;
  /** Brings it back; resolves when it answers. `empty`: without any session. */
  restart(target: Target, how: "empty" | "as it was"): MaybePromise<void>;
  /** Whether it comes back with all that it had acknowledged. Default: false, and then it only comes back empty. */
  readonly isDurable?: boolean;
}

/** How calls end: `works`, or the code that they are refused with; several where it depends on the moment. */
export type FaultOutcome = "works" | SessionErrorCode | readonly ("works" | SessionErrorCode)[];

/** Something that can happen to the server beside the network (F-14, F-15, F-16). */
export interface StoreFault<Target extends FaultTarget = FaultTarget> {
  /** As in "the store while …": `is full`, `is read-only`. */
  readonly name: string;
  begin(target: Target): MaybePromise<void>;
  end(target: Target): MaybePromise<void>;
  /** What a request that only reads gets, and one that writes, while the fault is on. */
  readonly expects: { readonly read: FaultOutcome; readonly write: FaultOutcome };
  /** Whether sessions may be lost by it, as by an eviction. Default: false. */
  readonly losesSessions?: boolean;
}

/** What a case is about. */
export type FaultTopic =
  | "slowness"
  | "silence"
  | "broken answers"
  | "death"
  | "repetition"
  | "store";

/** One thing that must hold while something is broken. Data, so that the same cases run against broken twins. */
export interface FaultCase<Target extends FaultTarget = FaultTarget> {
  /** A sentence about the behaviour. */
  readonly name: string;
  readonly topic: FaultTopic;
  /** Throws where it is otherwise. */
  run(bench: FaultBench<Target>): Promise<void>;
}
