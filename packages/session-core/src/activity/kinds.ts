import { copyText } from "../internal/cut-text.ts";
import { ShardedMap } from "../internal/sharded-map.ts";
import { MAX_KIND } from "./packing.ts";

/** Kinds of one endpoint at most. They are searched one after another, and clients may invent methods. */
const MAX_PER_ENDPOINT = 32;
/** Bytes of a kind beside its endpoint: the object, its place in the map and in the table. */
const KIND_BYTES = 160;

/** What many entries have in common, kept once. */
export interface Kind {
  /** From 1 on. */
  readonly number: number;
  readonly endpoint: string;
  readonly method: string;
  readonly statusCode: number;
  /** How many entries are of this kind. */
  entries: number;
  /** The next kind of the same endpoint. */
  next: Kind | undefined;
}

/**
 * The kinds of all entries that are there now. A kind goes with its last entry, so the table holds no more than
 * the timelines do.
 */
export class Kinds {
  readonly #byEndpoint = new ShardedMap<Kind>();
  readonly #byNumber: (Kind | undefined)[] = [undefined];
  readonly #unused: number[] = [];
  #bytes = 0;

  /** Roughly the memory in use. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#byNumber.length - 1 - this.#unused.length;
  }

  get(number: number): Kind {
    return this.#byNumber[number] as Kind;
  }

  find(endpoint: string, method: string, statusCode: number): Kind | undefined {
    let kind = this.#byEndpoint.get(endpoint);
    while (kind !== undefined && (kind.statusCode !== statusCode || kind.method !== method))
      kind = kind.next;
    return kind;
  }

  /** Whether one more kind of this endpoint has room in the table. */
  accepts(endpoint: string): boolean {
    if (this.size >= MAX_KIND) return false;
    let length = 0;
    for (let kind = this.#byEndpoint.get(endpoint); kind !== undefined; kind = kind.next) length++;
    return length < MAX_PER_ENDPOINT;
  }

  /** What {@link add} would add to {@link bytes}. */
  cost(endpoint: string, method: string): number {
    return KIND_BYTES + 2 * (endpoint.length + method.length);
  }

  /** Makes a kind that {@link find} did not find. */
  add(endpoint: string, method: string, statusCode: number): Kind {
    const first = this.#byEndpoint.get(endpoint);
    const kind: Kind = {
      number: this.#unused.pop() ?? this.#byNumber.length,
      endpoint: first?.endpoint ?? copyText(endpoint),
      method: copyText(method),
      statusCode,
      entries: 0,
      next: first?.next,
    };
    this.#byNumber[kind.number] = kind;
    if (first === undefined) this.#byEndpoint.set(kind.endpoint, kind);
    else first.next = kind;
    this.#bytes += this.cost(endpoint, method);
    return kind;
  }

  /** One entry less of this kind. */
  release(kind: Kind): void {
    kind.entries--;
    if (kind.entries > 0) return;
    this.#byNumber[kind.number] = undefined;
    this.#unused.push(kind.number);
    this.#bytes -= this.cost(kind.endpoint, kind.method);
    const first = this.#byEndpoint.get(kind.endpoint);
    if (first !== kind) {
      let before = first;
      while (before !== undefined && before.next !== kind) before = before.next;
      if (before !== undefined) before.next = kind.next;
    } else if (kind.next !== undefined) this.#byEndpoint.set(kind.endpoint, kind.next);
    else this.#byEndpoint.delete(kind.endpoint);
  }
}
