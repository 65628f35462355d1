/** Calls in a row that an outage has to cost before the next ones fail at once. */
const FAILURES = 5;

/**
 * Milliseconds without a single answer that it takes beside that. Where one part of a store is down, the others go on
 * answering, and the way to them stays open.
 */
const SILENCE = 250;

/** Milliseconds between the end of one probe and the beginning of the next. */
const PROBE_PAUSE = 250;

/**
 * Milliseconds that a probe may take, where `storeTimeout` allows more. With the pause it bounds how long a store that is
 * well again goes unnoticed.
 */
export const PROBE_TIMEOUT = 1000;

/**
 * How a call goes: `pass`, as ever; `probe`, the one call that finds out whether the store is back; `refuse`, at once.
 */
export type Admission = "pass" | "probe" | "refuse";

/**
 * Keeps requests from queueing up behind a store that does not answer (R-78, F-11), and the store from being met by all
 * of them when it comes back (F-46). Decides only; the gateway acts. Times are monotonic milliseconds.
 */
export class Circuit {
  #failures = 0;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #isOpen = false;
  #isSuspected = false;
  #isProbing = false;
  #probeAt = 0;

  /** Whether calls have to ask for admission. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether an answer would be news. */
  get isTroubled(): boolean {
    return this.#failures > 0;
  }

  /** Asked before each call while the circuit is open. Who is told `probe` reports how it ended. */
  admit(now: number): Admission {
    if (!this.#isOpen) return "pass";
    if (this.#isProbing || now < this.#probeAt) return "refuse";
    this.#isProbing = true;
    return "probe";
  }

  /** The store answered, be it with a refusal. */
  answered(now: number): void {
    this.#failures = 0;
    this.#answeredAt = now;
    this.#isOpen = false;
    this.#isSuspected = false;
    this.#isProbing = false;
  }

  /**
   * A call found nobody there. Answers whether that looks like an outage: then {@link Circuit.confirm} has to be called
   * once everything that has arrived by now has been heard. A process that was held up for a while learns of its
   * failures first, and only then of the answers that came meanwhile.
   */
  failed(admission: Admission, now: number): boolean {
    if (admission === "probe") {
      this.#isProbing = false;
      this.#probeAt = now + PROBE_PAUSE;
      return false;
    }
    this.#failures += 1;
    if (this.#isOpen || this.#isSuspected) return false;
    this.#isSuspected = this.#failures >= FAILURES && now - this.#answeredAt >= SILENCE;
    return this.#isSuspected;
  }

  /** Opens, unless an answer has been heard since. */
  confirm(now: number): void {
    if (!this.#isSuspected) return;
    this.#isSuspected = false;
    this.#isOpen = true;
    this.#probeAt = now + PROBE_PAUSE;
  }
}
