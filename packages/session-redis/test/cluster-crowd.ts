import { setTimeout as pause } from "node:timers/promises";
import { isSessionError, SessionManager } from "@kyb/session-core";
import type { SessionStore } from "@kyb/session-core/store";
import { LoopWatch } from "@kyb/session-testkit/faults";
import type { RedisCluster, RedisClusterNode } from "@kyb/session-testkit/servers";

/** Milliseconds that the manager gives its store. */
export const DEADLINE = 1000;

interface CrowdData {
  own: string;
  [key: `key ${number}`]: number;
}

/** One session, and what its owner was told. */
export interface Member {
  readonly id: string;
  readonly own: string;
  readonly cookie: string;
  /** Keys whose write was acknowledged, by when. */
  readonly stored: Map<number, number>;
  /** When a request was served last. */
  servedAt: number;
  /** Requests that were refused, by when. */
  readonly refusedAt: number[];
}

/** Many people with sessions on a Cluster, who ask and write all the time. */
export class Crowd {
  readonly manager: SessionManager<CrowdData>;
  readonly members: Member[] = [];
  /** What nobody may ever be told. */
  readonly violations: string[] = [];
  /** How long the store calls of each request took, milliseconds, but for what the machine did meanwhile. */
  readonly durations: number[] = [];
  readonly #loop = new LoopWatch();
  #isOver = false;
  #going: Promise<unknown> = Promise.resolve();

  constructor(store: SessionStore, storeTimeout: number = DEADLINE) {
    this.manager = new SessionManager<CrowdData>({ store, storeTimeout });
  }

  async join(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const own = `member ${this.members.length}`;
      const { session, token } = await this.manager.create({ metadata: { own } });
      const cookie = `kyb_session_id=${token}`;
      this.members.push({
        ...{ id: session.id, own, cookie },
        ...{ stored: new Map(), servedAt: 0, refusedAt: [] },
      });
    }
  }

  start(): void {
    this.#going = Promise.all(this.members.map((member) => this.#live(member)));
  }

  /** Nobody asks any more. */
  async rest(): Promise<void> {
    this.#isOver = true;
    await this.#going;
  }

  async stop(): Promise<void> {
    await this.rest();
    await this.manager.close();
    this.#loop.stop();
  }

  /** Whether somebody is served with this session now; undefined: nobody could look. */
  async opens({ id, cookie }: Pick<Member, "id" | "cookie">): Promise<boolean | undefined> {
    try {
      const visit = await this.#visit(cookie);
      visit.finish({ status: 200, responseSize: 0 });
      return visit.session.id === id;
    } catch (error) {
      if (isSessionError(error)) return undefined;
      throw error;
    }
  }

  /** Milliseconds so far in which the machine was busy with something else. */
  stolen(): number {
    return this.#loop.stolen();
  }

  /** The highest of these but for the given share of the longest. */
  percentile(share: number): number {
    const sorted = [...this.durations].sort((left, right) => left - right);
    return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  }

  async #live(member: Member): Promise<void> {
    for (let key = 0; !this.#isOver; key++) {
      await this.#request(member, key);
      await pause(20);
    }
  }

  async #request(member: Member, key: number): Promise<void> {
    const { id, own } = member;
    try {
      const visit = await this.#visit(member.cookie);
      const { session } = visit;
      if (session.id !== id || session.get("own") !== own) {
        this.violations.push(`${own} was served with ${session.id}`);
      }
      session.set(`key ${key}`, 1);
      const cookies = await visit.commit();
      if (cookies.length > 0) this.violations.push(`${own} was sent a cookie`);
      visit.finish({ status: 200, responseSize: 0 });
      member.servedAt = performance.now();
      member.stored.set(key, member.servedAt);
    } catch (error) {
      if (!isSessionError(error) || error.status !== 503) {
        this.violations.push(`${own}: ${String(error)}`);
      }
      member.refusedAt.push(performance.now());
    }
  }

  async #visit(cookie: string) {
    const sentAt = performance.now();
    const stolen = this.#loop.stolen();
    const headers = { get: (name: string) => (name === "cookie" ? cookie : null) };
    try {
      return await this.manager.visit({ method: "GET", url: "/", headers });
    } finally {
      this.durations.push(performance.now() - sentAt - (this.#loop.stolen() - stolen));
    }
  }
}

/** Which of these sessions a node has. */
export async function heldBy(
  node: RedisClusterNode,
  members: readonly Pick<Member, "id">[],
): Promise<Set<string>> {
  const keys = String(await node.command("KEYS", "*"));
  return new Set(members.map(({ id }) => id).filter((id) => keys.includes(id)));
}

/** The nodes that are masters now. */
export async function masters({ nodes }: RedisCluster): Promise<RedisClusterNode[]> {
  const found: RedisClusterNode[] = [];
  for (const node of nodes) {
    if (node.pid === undefined) continue;
    const role = await node.command("ROLE");
    if (Array.isArray(role) && role[0] === "master") found.push(node);
  }
  return found;
}

/** The replica that follows this node now. */
export async function replicaOf(
  { nodes }: RedisCluster,
  master: RedisClusterNode,
): Promise<RedisClusterNode> {
  for (const node of nodes) {
    if (node.pid === undefined) continue;
    const role = await node.command("ROLE");
    if (Array.isArray(role) && role[0] === "slave" && role[2] === master.port) return node;
  }
  throw new Error(`Nobody follows ${master.port}.`);
}

/** Asks again and again until it is so; answers after how many milliseconds it was. */
export async function until(
  what: string,
  atMost: number,
  check: () => boolean | Promise<boolean>,
): Promise<number> {
  const begin = performance.now();
  while (!(await check())) {
    if (performance.now() - begin > atMost) throw new Error(`After ${atMost} ms not yet: ${what}.`);
    await pause(10);
  }
  return performance.now() - begin;
}
