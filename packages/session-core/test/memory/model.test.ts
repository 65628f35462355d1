import { describe, expect, it } from "vitest";
import type { ActivityEntry } from "../../src/activity/entry.ts";
import type { Commit, MetadataOp, SecretChange } from "../../src/commit.ts";
import type { StoreMetrics } from "../../src/metrics/snapshot.ts";
import type { UserLimit } from "../../src/new-session.ts";
import type { EndReason } from "../../src/record.ts";
import type { StoreEvent } from "../../src/store.ts";
import type { StoreQuery } from "../../src/store-query.ts";
import type { TrackItem } from "../../src/track-batch.ts";
import { DAY, HOUR, MINUTE } from "../support/clock.ts";
import { commitOf, hashOf, newSession } from "../support/records.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { Bench, queryOf, requestOf } from "./bench.ts";
import { NaiveStore } from "./naive-store.ts";

const SETTINGS = {
  activityLimit: 7,
  activityBytes: 2 ** 24,
  endedRetention: 2 * HOUR,
  maxEnded: 1_000_000,
};
const USERS = ["ann", "anna", "bob", "eve", "é", "__proto__"];
const ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
const REASONS: EndReason[] = ["signed-out", "revoked", "reuse", "binding", "shutdown", "erased"];

/** Does the same to both stores, and compares what they answer. */
class Twins {
  readonly bench: Bench;
  readonly naive: NaiveStore;
  readonly random: SeededRandom;
  #made = 0;
  #heard = 0;
  readonly #opIds: string[] = [];

  constructor(seed: number, activityRetention: number | undefined) {
    this.random = new SeededRandom(seed);
    this.bench = new Bench({ ...SETTINGS, activityRetention });
    this.naive = new NaiveStore({ ...SETTINGS, activityRetention });
    this.naive.now = this.bench.now;
  }

  step(): void {
    const { bench, naive, random } = this;
    const night = random.below(150) === 0 ? random.pick([5 * HOUR, 3 * DAY]) : 0;
    bench.now += night + random.pick([0, 0, 1, 13, 700, 10_000, MINUTE]);
    naive.now = bench.now;
    expect(bench.sweep()).toEqual({ ended: naive.sweep(), more: false });
    const actions = [
      this.#create,
      this.#create,
      this.#commit,
      this.#commit,
      this.#track,
      this.#track,
      this.#end,
      this.#import,
    ];
    random.pick(actions).call(this);
    this.#compareEvents();
  }

  compareAll(): void {
    const { bench, naive, random } = this;
    expect(comparable(bench.store.metrics())).toEqual(comparable(naive.metrics()));
    for (const id of naive.ids()) expect(bench.read(id)).toEqual(naive.find(id));
    const query = queryOf({
      userId: random.pick([undefined, undefined, ...USERS]),
      status: random.pick(["active", "ended", "all"]),
      search: random.pick([undefined, undefined, "an", "192.0.2.2", this.#anyId()]),
      sort: random.pick(["createdAt", "lastAccessTime"]),
      direction: random.pick(["ascending", "descending"]),
      limit: 1 + random.below(30),
    });
    this.#compareLists(query);
    const id = this.#anyId();
    const page = bench.store.activity(id, { limit: 100, offset: 0, cursor: undefined });
    const entries = naive.activity(id);
    expect(page).toEqual(
      entries === undefined ? undefined : { entries, nextCursor: undefined, total: entries.length },
    );
  }

  #create(): void {
    const { bench, naive, random } = this;
    const userId = random.pick([undefined, undefined, undefined, ...USERS]);
    const id = `${random.below(1e9).toString(36)}-${this.#made++}`;
    const session = newSession({
      id,
      userId,
      secretHash: hashOf(id),
      ipAddress: random.pick(ADDRESSES),
      idleTimeout: random.pick([10 * MINUTE, HOUR, DAY]),
      absoluteTimeout: random.pick([HOUR, 2 * DAY]),
      provisionalTimeout:
        userId === undefined ? random.pick([undefined, 5 * MINUTE, 2 * HOUR]) : undefined,
    });
    const limits = { maxSessions: random.pick([undefined, 40, 60]), user: this.#limit() };
    expect(bench.store.create(session, limits)).toEqual(naive.create(session, limits));
  }

  #commit(): void {
    const { bench, naive, random } = this;
    const id = this.#anyId();
    const state = naive.find(id)?.state;
    const change = this.#change(state?.userId);
    const opId =
      random.below(8) === 0 && this.#opIds.length > 0
        ? random.pick(this.#opIds.slice(-9))
        : `op ${this.#made++}`;
    const presented = change?.kind === "promote" ? state?.pending?.hash : state?.secretHash;
    const commit: Commit = commitOf({
      opId,
      epoch: random.below(10) === 0 ? 0 : (state?.epoch ?? 0),
      version: random.pick([undefined, undefined, state?.version, 0]),
      secretHash: random.pick([undefined, presented, presented, hashOf("wrong")]),
      ops: this.#ops(),
      maxMetadataBytes: 120,
      change,
    });
    this.#opIds.push(opId);
    expect(bench.store.commit(id, commit)).toEqual(naive.commit(id, commit));
  }

  #track(): void {
    const { bench, random } = this;
    const items: TrackItem[] = [];
    for (let count = 0; count <= random.below(4); count++) {
      const at = bench.now - random.pick([0, 0, 5, 3000, HOUR]);
      const entry: Partial<ActivityEntry> = {
        endpoint: `/${random.below(12)}`,
        method: random.pick(["GET", "POST"]),
        statusCode: random.pick([200, 201, 304, 404, 500, 99]),
        duration: random.pick([0.1, 0.25, 3, 77.25, 1e5]),
        requestSize: random.pick([0, 0, 512]),
        ...(random.below(6) === 0 ? { action: "buy", metadata: { at } } : {}),
      };
      const item: Partial<TrackItem> = {
        access: random.below(8) > 0,
        active: random.below(4) > 0,
        confirm: random.below(3) > 0,
        ...(random.below(10) === 0 ? { request: undefined } : {}),
        ...(random.below(10) === 0 ? { entry: undefined } : {}),
        ...(random.below(30) === 0 ? { seenAt: at + 10 * DAY } : {}),
      };
      items.push(requestOf(this.#anyId(), at, item, entry));
    }
    bench.track(...items);
    this.naive.track(items);
  }

  #end(): void {
    const { bench, naive, random } = this;
    const reason = random.pick(REASONS);
    const id = this.#anyId();
    if (random.below(3) > 0) {
      const options = random.below(3) === 0 ? { epoch: random.below(2) } : {};
      expect(bench.store.end(id, reason, options).status).toBe(naive.end(id, reason, options));
      return;
    }
    const user = random.pick(USERS);
    const except = random.pick([undefined, id]);
    const ended = [...bench.endUser(user, reason, except)];
    expect(ended.sort()).toEqual(naive.endUser(user, reason, except).sort());
  }

  /** A copy of one of the sessions moves in, with its past and a name of its own, or with the one that is taken. */
  #import(): void {
    const { bench, naive, random } = this;
    const id = this.#anyId();
    const record = naive.find(id);
    if (record === undefined) return;
    const moved = random.below(5) > 0 ? `moved ${this.#made++}` : id;
    const createdAt = record.state.createdAt - random.pick([0, 1, HOUR]);
    const { version, epoch, provisionalEnd } = record.state;
    const userId = random.pick([record.state.userId, ...USERS]);
    const state = {
      ...record.state,
      id: moved,
      createdAt,
      version: version + random.below(3),
      epoch: Math.max(0, epoch + random.pick([0, 0, 1, -1])),
      userId,
      provisionalEnd: userId === undefined ? provisionalEnd : undefined,
    };
    const copy = {
      record: { ...record, state },
      entries: naive.activity(id) ?? [],
      over: random.pick([undefined, version, version, version + 1]),
    };
    expect(bench.store.import([copy])).toEqual([naive.import(copy)]);
  }

  #compareLists(query: StoreQuery): void {
    const { bench, naive } = this;
    const rows = naive.list(query);
    const page = bench.store.list(query);
    expect(page.records).toEqual(rows.slice(0, query.limit));
    expect(page.total).toBe(query.search === undefined ? rows.length : undefined);
    expect(page.nextCursor === undefined).toBe(rows.length <= query.limit);
    const ids = rows.map(({ state }) => state.id);
    expect(bench.pages(query)).toEqual(ids);
    const offset = this.random.below(20);
    expect(bench.ids({ ...query, offset })).toEqual(ids.slice(offset, offset + query.limit));
  }

  /** The order in which a sweep ends what is due is its own affair. */
  #compareEvents(): void {
    const line = ({ type, sessionId, userId, at, reason }: StoreEvent): string =>
      [type, sessionId, userId, at, reason].join(" ");
    const heard = this.bench.events.slice(this.#heard).map(line);
    expect(heard.sort()).toEqual(this.naive.events.slice(this.#heard).map(line).sort());
    this.#heard += heard.length;
  }

  #anyId(): string {
    const ids = this.naive.ids();
    return ids.length === 0 || this.random.below(40) === 0
      ? "nobody"
      : this.random.pick(ids.slice(-150));
  }

  #limit(): UserLimit | undefined {
    const policy = this.random.pick(["evict-oldest", "evict-least-recent", "reject"] as const);
    return this.random.pick([undefined, { max: 1 + this.random.below(6), policy }]);
  }

  #change(userId: string | undefined): SecretChange | undefined {
    const secretHash = hashOf(`secret ${this.#made++}`);
    return this.random.pick<SecretChange | undefined>([
      undefined,
      undefined,
      {
        kind: "sign-in",
        secretHash,
        userId: this.random.pick([userId ?? "ann", ...USERS]),
        keep: this.random.pick<true | string[]>([true, [], ["a", "b"]]),
        idleTimeout: this.random.pick([MINUTE, HOUR]),
        absoluteTimeout: this.random.pick([30 * MINUTE, DAY]),
        limit: this.#limit(),
      },
      { kind: "regenerate", secretHash },
      { kind: "offer", secretHash, nonce: "nonce" },
      { kind: "promote" },
    ]);
  }

  #ops(): MetadataOp[] {
    const ops: MetadataOp[] = [];
    for (let count = this.random.below(4); count > 0; count--) {
      const key = this.random.pick(["a", "b", "c"]);
      ops.push(
        this.random.pick<MetadataOp>([
          { kind: "set", key, value: this.random.below(100), bytes: 2 },
          { kind: "set", key, value: "x".repeat(60), bytes: 62 },
          { kind: "increment", key, by: 1 },
          { kind: "delete", key },
        ]),
      );
    }
    return ops;
  }
}

/** Endpoints come in any order. */
function comparable(metrics: StoreMetrics): StoreMetrics {
  return {
    ...metrics,
    endpoints: [...metrics.endpoints].sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1)),
  };
}

describe("the store in memory and a naive one that does the same", () => {
  for (const [seed, retention] of [
    [1, undefined],
    [2, 20 * MINUTE],
    [3, undefined],
  ] as const) {
    it(`agree on every answer, record, list, timeline, event and number through 3,000 steps (seed ${seed})`, () => {
      const twins = new Twins(seed, retention);
      for (let step = 0; step < 3000; step++) {
        twins.step();
        if (step % 15 === 0) twins.compareAll();
      }
      twins.compareAll();
    });
  }
});
