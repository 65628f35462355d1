import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { ActiveFault, NetworkFault } from "./network-fault.ts";

/** One direction of a connection. */
export interface PipeOptions {
  readonly from: Socket;
  readonly to: Socket;
  /** Whether it is the direction of the answers. */
  readonly isReply: boolean;
  /** The fault that is on at this moment. */
  readonly active: () => ActiveFault | undefined;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** Told whenever a fault reaches something. */
  readonly harm: () => void;
}

interface Arrived {
  readonly bytes: Buffer;
  readonly at: number;
}

/** Passes bytes on in their order, through whatever fault is on when their turn comes. */
export class FaultyPipe {
  readonly #options: PipeOptions;
  readonly #waiting: Arrived[] = [];
  #isBusy = false;
  #isEnded = false;
  /** What `cut` lets through. */
  #passed = 0;

  constructor(options: PipeOptions) {
    this.#options = options;
    options.from.on("data", (bytes: Buffer) => {
      this.#waiting.push({ bytes, at: performance.now() });
      void this.#drain();
    });
    options.from.on("end", () => {
      this.#isEnded = true;
      void this.#drain();
    });
  }

  /** Never rejects: a socket that is gone takes nothing more, and says so by its own events. */
  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#pass(next);
    }
    this.#isBusy = false;
    if (this.#isEnded && !this.#options.to.destroyed) this.#options.to.end();
  }

  async #pass({ bytes, at }: Arrived): Promise<void> {
    const { active, harm, isReply } = this.#options;
    for (let held = active(); held?.fault.kind === "black hole"; held = active()) {
      harm();
      await held.over;
    }
    const on = active();
    if (on === undefined || !isReply) {
      this.#write(bytes);
      return;
    }
    harm();
    await this.#harm(bytes, at, on.fault, on.over);
  }

  async #harm(bytes: Buffer, at: number, fault: NetworkFault, over: Promise<void>): Promise<void> {
    const half = bytes.subarray(0, Math.floor(bytes.length / 2));
    switch (fault.kind) {
      case "latency": {
        const due = at + fault.milliseconds + this.#options.random() * fault.jitter;
        await waitUntil(due, over);
        this.#write(bytes);
        return;
      }
      case "trickle":
        return this.#trickle(bytes);
      case "reset mid-reply":
        this.#write(half);
        await turn();
        this.#reset();
        return;
      case "truncate":
        this.#write(half);
        this.#end();
        return;
      case "swallow":
        this.#reset();
        return;
      case "cut":
        this.#cut(bytes, fault.bytes);
        return;
      case "corrupt":
        this.#write(Buffer.concat([NONSENSE, bytes]));
        return;
      case "half-close":
        this.#write(bytes);
        this.#options.to.end();
        return;
      case "black hole":
        // It came on again since it was looked at.
        this.#write(bytes);
    }
  }

  async #trickle(bytes: Buffer): Promise<void> {
    for (let index = 0; index < bytes.length; index++) {
      const isOver = this.#options.active()?.fault.kind !== "trickle";
      this.#write(bytes.subarray(index, isOver ? bytes.length : index + 1));
      if (isOver) return;
      await turn();
    }
  }

  #cut(bytes: Buffer, most: number): void {
    const left = most - this.#passed;
    this.#write(bytes.subarray(0, left));
    this.#passed += Math.min(bytes.length, left);
    if (bytes.length > left) this.#reset();
  }

  #write(bytes: Buffer): void {
    const { to } = this.#options;
    if (to.writable) to.write(bytes);
  }

  #reset(): void {
    const { from, to } = this.#options;
    this.#waiting.length = 0;
    to.resetAndDestroy();
    from.resetAndDestroy();
  }

  /** An orderly end towards the client; the server's side is let go of. */
  #end(): void {
    const { from, to } = this.#options;
    this.#waiting.length = 0;
    to.end();
    from.destroy();
  }
}

/** What no protocol begins with. */
const NONSENSE: Buffer = Buffer.from([0x00, 0xff, 0x13, 0x37, 0x0d, 0x0a]);

/** Waits until a moment of `performance.now()`, or until the fault is over. */
async function waitUntil(due: number, over: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, due - performance.now()));
  });
  await Promise.race([late, over]);
  clearTimeout(timer);
}
