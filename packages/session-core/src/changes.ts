import type { MetadataOp } from "./commit.ts";
import type { JsonValue, Metadata } from "./metadata.ts";
import { notANumber, tooLarge } from "./refusals.ts";
import { applyOps } from "./transition.ts";

/** Changes on their way to the store. The same batch keeps its `opId` until the store has answered. */
export interface ChangeBatch {
  readonly opId: string;
  readonly ops: readonly MetadataOp[];
}

interface View {
  readonly metadata: Metadata;
  readonly bytes: number;
}

/**
 * What one request changed and the store has not acknowledged yet, and the data as this request sees it: what it
 * found, with its own changes on top.
 */
export class PendingChanges {
  readonly #maxBytes: number;
  #base: View;
  #view: View;
  #waiting: MetadataOp[] = [];
  #sent: ChangeBatch | undefined;

  constructor(metadata: Metadata, bytes: number, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#base = { metadata, bytes };
    this.#view = this.#base;
  }

  get metadata(): Metadata {
    return this.#view.metadata;
  }

  /** Size of `metadata` as JSON. */
  get bytes(): number {
    return this.#view.bytes;
  }

  /** Everything that is not acknowledged, in order. */
  get ops(): readonly MetadataOp[] {
    return this.#sent === undefined ? this.#waiting : [...this.#sent.ops, ...this.#waiting];
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#sent === undefined;
  }

  /** Whether a batch was sent and never answered. */
  get isInDoubt(): boolean {
    return this.#sent !== undefined;
  }

  /** The keys with unacknowledged changes. */
  keys(): string[] {
    return [...new Set(this.ops.map((op) => op.key))];
  }

  /** Adds a change, or throws `INVALID_VALUE` or `METADATA_TOO_LARGE` and adds nothing. */
  add(op: MetadataOp): void {
    this.#view = this.preview(op);
    this.#waiting.push(op);
  }

  /** The data as one more change would leave it; throws what {@link PendingChanges.add} throws. */
  preview(op: MetadataOp): View {
    const next = applyOps(this.#view, [op]);
    if (next.status === "refused") throw notANumber(op.key);
    if (next.bytes > this.#maxBytes && next.bytes > this.#view.bytes)
      throw tooLarge(next.bytes, this.#maxBytes);
    return next;
  }

  /** The next batch to send, under the id that it had before if it was sent already. */
  batch(opId: () => string): ChangeBatch | undefined {
    if (this.#sent === undefined && this.#waiting.length > 0) {
      this.#sent = { opId: opId(), ops: this.#waiting };
      this.#waiting = [];
    }
    return this.#sent;
  }

  /** The first `count` of {@link PendingChanges.ops} went to the store in another way. */
  forget(count: number): void {
    this.#waiting = this.ops.slice(count);
    this.#sent = undefined;
  }

  /** The store has answered the batch that was sent, and says how the data stands now. */
  acknowledge(metadata: Metadata, bytes: number): void {
    this.#sent = undefined;
    this.rebase(metadata, bytes);
  }

  /** Puts the waiting changes on top of newer data. */
  rebase(metadata: Metadata, bytes: number): void {
    this.#base = { metadata, bytes };
    const next = applyOps(this.#base, this.ops);
    // A concurrent request may have put something else where this one adds up: the store decides, and says so.
    this.#view = next.status === "data" ? next : this.#base;
  }

  /** Forgets what was not acknowledged and answers which keys that were. */
  discard(): string[] {
    const keys = this.keys();
    this.#sent = undefined;
    this.#waiting = [];
    this.#view = this.#base;
    return keys;
  }
}

/** One value of the data, never something inherited. */
export function ownValue(metadata: Metadata, key: string): JsonValue | undefined {
  return Object.hasOwn(metadata, key) ? metadata[key] : undefined;
}
