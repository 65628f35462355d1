import { FaultProxy } from "./fault-proxy.ts";
import type { NetworkFault } from "./network-fault.ts";

/** The way to a server, of one port or of several, broken and mended as one. */
export class Network {
  readonly #proxies: readonly FaultProxy[];
  #faults = 0;
  #isNonsense = false;

  private constructor(proxies: readonly FaultProxy[]) {
    this.#proxies = proxies;
  }

  static async open(ports: readonly number[]): Promise<Network> {
    return new Network(await Promise.all(ports.map((port) => FaultProxy.open(port))));
  }

  get ports(): readonly number[] {
    return this.#proxies.map(({ port }) => port);
  }

  /** How often something was broken. */
  get faults(): number {
    return this.#faults;
  }

  /** How often that has reached something. */
  get harmed(): number {
    return this.#proxies.reduce((sum, { harmed }) => sum + harmed, 0);
  }

  break(fault: NetworkFault): void {
    this.#faults += 1;
    this.#isNonsense = fault.kind === "corrupt";
    for (const proxy of this.#proxies) proxy.become(fault);
  }

  /**
   * Everything passes again. After nonsense on new connections: not every driver gives up a connection by itself whose
   * answers made no sense, and a middlebox that alters bytes is not mended but replaced.
   */
  mend(): void {
    for (const proxy of this.#proxies) proxy.become(undefined);
    if (this.#isNonsense) this.reset();
    this.#isNonsense = false;
  }

  reset(): void {
    this.#faults += 1;
    for (const proxy of this.#proxies) proxy.reset();
  }

  async stop(): Promise<void> {
    this.#faults += 1;
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }

  async listen(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.listen()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
