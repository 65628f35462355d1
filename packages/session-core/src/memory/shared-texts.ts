import { ShardedMap } from "../internal/sharded-map.ts";

/** Keeps equal texts once, as long as somebody uses them: a million sessions have some thousand user agents. */
export class SharedTexts {
  readonly #texts = new ShardedMap<{ readonly text: string; uses: number }>();

  #size = 0;

  /** How many different texts there are. */
  get size(): number {
    return this.#size;
  }

  /** The one copy of a text. */
  take(text: string): string {
    const held = this.#texts.get(text);
    if (held === undefined) {
      this.#texts.set(text, { text, uses: 1 });
      this.#size++;
      return text;
    }
    held.uses++;
    return held.text;
  }

  /** Undoes one {@link take}. */
  release(text: string): void {
    const held = this.#texts.get(text);
    if (held === undefined) return;
    held.uses--;
    if (held.uses > 0) return;
    this.#texts.delete(text);
    this.#size--;
  }
}
