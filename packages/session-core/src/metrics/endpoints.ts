import { copyText } from "../internal/cut-text.ts";
import { MAX_ENDPOINTS } from "./snapshot.ts";

/** Stands for all endpoints that are not counted one by one. */
export const OTHER_ENDPOINTS = "(other)";

/**
 * Requests per endpoint, for at most {@link MAX_ENDPOINTS} of them: clients may ask for any number of paths.
 * A new endpoint takes the place of the least requested one, whose count goes to `(other)`. So a flood of invented
 * paths cannot keep the real ones out, the sum is always exact, and so is each count if there were never too many.
 */
export class EndpointCounts {
  readonly #counts = new Map<string, number>();
  #other = 0;

  add(endpoint: string): void {
    const count = this.#counts.get(endpoint);
    if (count !== undefined) {
      this.#counts.set(endpoint, count + 1);
      return;
    }
    // One place is for `(other)`.
    if (this.#counts.size >= MAX_ENDPOINTS - 1) this.#dropLeast();
    this.#counts.set(copyText(endpoint), 1);
  }

  snapshot(): { readonly endpoint: string; readonly requests: number }[] {
    const rows = [...this.#counts].map(([endpoint, requests]) => ({ endpoint, requests }));
    if (this.#other > 0) rows.push({ endpoint: OTHER_ENDPOINTS, requests: this.#other });
    return rows;
  }

  #dropLeast(): void {
    let least: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [endpoint, count] of this.#counts) {
      if (count >= fewest) continue;
      least = endpoint;
      fewest = count;
    }
    if (least === undefined) return;
    this.#counts.delete(least);
    this.#other += fewest;
  }
}
