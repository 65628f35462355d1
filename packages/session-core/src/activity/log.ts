import { copyText } from "../internal/cut-text.ts";
import { jsonBytes } from "../metadata.ts";
import { Arena, SEGMENT_BYTES, SEGMENT_ENTRIES } from "./arena.ts";
import type { ActivityEntry } from "./entry.ts";
import { type Kind, Kinds } from "./kinds.ts";
import type { LogPage, LogQuery } from "./log-page.ts";
import { type EntryNumbers, isPackable, kindAt, pack, timestampAt, unpack } from "./packing.ts";

/** The action of entries that are not custom ones. */
const REQUEST = "request";
/** In place of a kind: the entry could not be packed and stands in {@link LogHead.logWhole}. */
const WHOLE = 0;
/** Bytes of an entry kept as an object, beside its texts. */
const WHOLE_BYTES = 240;

/** Entries of a timeline that are given up in one go, some microseconds. */
const SHORT = 32;

/** Sequence numbers have 32 bits. A timeline that reaches the last one begins anew. */
const MAX_SEQUENCE = 0xffff_ffff;

/** Where a session's timeline begins; the fields belong to the log. */
export interface LogHead {
  /** Segment of the newest entry; its link leads to the segment of the oldest one. */
  logLast: number;
  /** Sequence number of the next entry; the first one is 0. */
  logNext: number;
  /** Entries that are kept: those with the highest sequence numbers. */
  logCount: number;
  /** Custom actions, entries with metadata, odd ones; by sequence number. */
  logWhole: Map<number, ActivityEntry> | undefined;
}

/**
 * The timelines of all sessions. Each is a ring of segments in one {@link Arena}, 17 bytes an entry, so that a
 * thousand entries a session are affordable and recording one makes no garbage.
 *
 * When the bytes are used up, a session gives up its own oldest entries for a new one; one that has none asks
 * `reclaim`; if that finds nothing, the new entry is dropped and counted.
 */
export class ActivityLog {
  readonly #arena = new Arena();
  readonly #kinds = new Kinds();
  readonly #reclaim: () => boolean;
  readonly #abandoned: LogHead[] = [];
  #wholeBytes = 0;
  #dropped = 0;

  /** `reclaim` gives up the timeline that is needed least, or answers false. */
  constructor(reclaim: () => boolean) {
    this.#reclaim = reclaim;
  }

  /** Entries dropped for want of room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes in use, texts and abandoned timelines included. */
  get bytes(): number {
    return this.#arena.bytes + this.#kinds.bytes + this.#wholeBytes;
  }

  /** Distinct combinations of endpoint, method and status in all timelines. */
  get kinds(): number {
    return this.#kinds.size;
  }

  /**
   * Adds an entry, at the cost of the oldest ones of this session if need be. It may have `maxEntries`, all
   * timelines together `maxBytes`.
   */
  append(head: LogHead, entry: ActivityEntry, maxEntries: number, maxBytes: number): void {
    if (maxEntries <= 0) return;
    const plain = entry.action === REQUEST && entry.metadata === undefined && isPackable(entry);
    let kind = plain ? this.#kinds.find(entry.endpoint, entry.method, entry.statusCode) : undefined;
    const whole = kind === undefined && !(plain && this.#kinds.accepts(entry.endpoint));
    // Counted at once: making room must not take away the kind that is needed.
    if (kind !== undefined) kind.entries++;

    if (head.logNext === MAX_SEQUENCE) {
      this.abandon(head);
      head.logNext = 0;
    }
    let texts = 0;
    if (whole) texts = wholeCost(entry);
    else if (kind === undefined) texts = this.#kinds.cost(entry.endpoint, entry.method);
    while (head.logCount >= maxEntries) this.#dropOldest(head);
    if (!this.#makeRoom(head, texts, maxBytes)) {
      if (kind !== undefined) this.#kinds.release(kind);
      this.#dropped++;
      return;
    }
    if (whole) {
      this.#keepWhole(head, entry);
      this.#write(head, WHOLE, EMPTY);
      return;
    }
    if (kind === undefined) {
      // Room may have been made by giving up the last entry of the same endpoint, so this comes after it.
      kind = this.#kinds.add(entry.endpoint, entry.method, entry.statusCode);
      kind.entries++;
    }
    this.#write(head, kind.number, entry);
  }

  /** One page, newest first. */
  read(head: LogHead, query: LogQuery): LogPage {
    const entries: ActivityEntry[] = [];
    const segments = this.#segments(head);
    const oldest = head.logNext - head.logCount;
    const first = oldest - (oldest % SEGMENT_ENTRIES);
    const before = Math.min(query.before ?? head.logNext, head.logNext);
    let total = query.after === undefined ? head.logCount : 0;
    let skip = query.offset;
    let next: number | undefined;
    // Only the age of the entries tells how many of the newer ones count.
    const start = query.after === undefined ? before : head.logNext;
    for (let sequence = start - 1; sequence >= oldest; sequence--) {
      const segment = segments[Math.floor((sequence - first) / SEGMENT_ENTRIES)] as number;
      if (query.after !== undefined) {
        if (this.#timestamp(head, segment, sequence) <= query.after) continue;
        total++;
      }
      if (sequence >= before) continue;
      if (skip > 0) skip--;
      else if (entries.length < query.limit) entries.push(this.#entry(head, segment, sequence));
      else {
        next ??= sequence + 1;
        if (query.after === undefined) break;
      }
    }
    return { entries, next, total };
  }

  /** Gives up the oldest entries that are from `time` or earlier. */
  expire(head: LogHead, time: number): void {
    while (head.logCount > 0) {
      const oldest = head.logNext - head.logCount;
      if (this.#timestamp(head, this.#firstSegment(head), oldest) > time) return;
      this.#dropOldest(head);
    }
  }

  /**
   * Gives up a session's timeline. The memory of a short one comes back at once, so that a sweep of a million sessions
   * does not keep a list of them for the collector; that of a long one little by little, with {@link clean} and whenever
   * room is needed: a thousand sessions with a thousand entries each may be given up in one call.
   */
  abandon(head: LogHead): void {
    const { logLast, logNext, logCount, logWhole } = head;
    if (logCount === 0) return;
    this.#abandoned.push({ logLast, logNext, logCount, logWhole });
    head.logCount = 0;
    head.logWhole = undefined;
    this.clean(after(SHORT));
  }

  /** Takes back the memory of abandoned timelines, until `stop` says so; answers whether that was all. */
  clean(stop: () => boolean): boolean {
    for (let head = this.#abandoned.at(-1); head !== undefined; head = this.#abandoned.at(-1)) {
      for (; head.logCount > 0; this.#dropOldest(head)) if (stop()) return false;
      this.#abandoned.pop();
    }
    return true;
  }

  #makeRoom(head: LogHead, texts: number, limit: number): boolean {
    // Each new segment pays for cleaning up two.
    if (needsSegment(head) && this.#abandoned.length > 0) this.clean(after(2 * SEGMENT_ENTRIES));
    for (;;) {
      const needed = texts + (needsSegment(head) ? SEGMENT_BYTES : 0);
      if (this.bytes + needed <= limit) return true;
      if (this.#abandoned.length > 0) {
        this.clean(() => this.bytes + needed <= limit);
        continue;
      }
      // What would not fit into an empty log does not cost anybody an entry.
      if (texts + SEGMENT_BYTES > limit) return false;
      if (head.logCount > 0) this.#dropOldest(head);
      else if (!this.#reclaim()) return false;
    }
  }

  #write(head: LogHead, kind: number, entry: EntryNumbers): void {
    if (needsSegment(head)) {
      const segment = this.#arena.allocate();
      // A ring: the newest segment links to the oldest.
      this.#arena.link(segment, head.logCount === 0 ? segment : this.#firstSegment(head));
      if (head.logCount > 0) this.#arena.link(head.logLast, segment);
      head.logLast = segment;
    }
    const { logLast } = head;
    pack(this.#arena.words(logLast), this.#arena.entryAt(logLast, head.logNext), kind, entry);
    head.logNext++;
    head.logCount++;
  }

  #keepWhole(head: LogHead, entry: ActivityEntry): void {
    head.logWhole ??= new Map();
    head.logWhole.set(
      head.logNext,
      Object.freeze({
        ...entry,
        endpoint: copyText(entry.endpoint),
        method: copyText(entry.method),
      }),
    );
    this.#wholeBytes += wholeCost(entry);
  }

  #dropOldest(head: LogHead): void {
    const oldest = head.logNext - head.logCount;
    const segment = this.#firstSegment(head);
    const kind = kindAt(this.#arena.words(segment), this.#arena.entryAt(segment, oldest));
    if (kind === WHOLE) this.#dropWhole(head, oldest);
    else this.#kinds.release(this.#kinds.get(kind));
    head.logCount--;
    if (head.logCount > 0 && (oldest + 1) % SEGMENT_ENTRIES !== 0) return;
    if (head.logCount > 0) this.#arena.link(head.logLast, this.#arena.next(segment));
    this.#arena.free(segment);
  }

  #dropWhole(head: LogHead, sequence: number): void {
    const entry = head.logWhole?.get(sequence);
    if (entry === undefined) return;
    head.logWhole?.delete(sequence);
    if (head.logWhole?.size === 0) head.logWhole = undefined;
    this.#wholeBytes -= wholeCost(entry);
  }

  #entry(head: LogHead, segment: number, sequence: number): ActivityEntry {
    const words = this.#arena.words(segment);
    const at = this.#arena.entryAt(segment, sequence);
    const number = kindAt(words, at);
    if (number === WHOLE) return head.logWhole?.get(sequence) as ActivityEntry;
    const { endpoint, method, statusCode }: Kind = this.#kinds.get(number);
    const { timestamp, duration, requestSize, responseSize } = unpack(words, at);
    return {
      timestamp,
      action: REQUEST,
      endpoint,
      method,
      statusCode,
      duration,
      requestSize,
      responseSize,
    };
  }

  #timestamp(head: LogHead, segment: number, sequence: number): number {
    const words = this.#arena.words(segment);
    const at = this.#arena.entryAt(segment, sequence);
    if (kindAt(words, at) !== WHOLE) return timestampAt(words, at);
    return head.logWhole?.get(sequence)?.timestamp ?? Number.NEGATIVE_INFINITY;
  }

  /** The segments of a session, oldest first. */
  #segments(head: LogHead): number[] {
    if (head.logCount === 0) return [];
    const segments: number[] = [];
    let segment = this.#firstSegment(head);
    while (segment !== head.logLast) {
      segments.push(segment);
      segment = this.#arena.next(segment);
    }
    segments.push(segment);
    return segments;
  }

  #firstSegment(head: LogHead): number {
    return this.#arena.next(head.logLast);
  }
}

const EMPTY: EntryNumbers = { timestamp: 0, duration: 0, requestSize: 0, responseSize: 0 };

function needsSegment(head: LogHead): boolean {
  return head.logCount === 0 || head.logNext % SEGMENT_ENTRIES === 0;
}

function wholeCost(entry: ActivityEntry): number {
  const metadata = entry.metadata === undefined ? 0 : jsonBytes(entry.metadata);
  return (
    WHOLE_BYTES + 2 * (entry.action.length + entry.endpoint.length + entry.method.length + metadata)
  );
}

/** Stops after `count` times. */
function after(count: number): () => boolean {
  let left = count;
  return () => left-- === 0;
}
