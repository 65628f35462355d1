import { setTimeout as pause } from "node:timers/promises";
import {
  applyCommit,
  type Commit,
  type CommitResult,
  type EndReason,
  type EndResult,
  SessionError,
  type SessionRecord,
  type TrackBatch,
} from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";
import type { RemoteParts } from "./remote-harness.ts";
import { type Answer, Lines, RemoteServer } from "./remote-server.ts";
import { RemoteConnection } from "./remote-store.ts";

/** A remote store that breaks one guarantee, and the cases that have to see it. */
export interface BrokenRemote {
  /** Continues "it …". */
  readonly name: string;
  readonly parts: () => RemoteParts;
  /** Parts of the names of cases. */
  readonly rejectedBy: readonly string[];
}

/** Takes the answers in the order of the questions, and goes on doing so whatever happens to the connection. */
class InOrder extends RemoteConnection {
  override answered(answer: Answer): void {
    const [oldest] = this.waiting.keys();
    super.answered({ ...answer, number: oldest ?? answer.number });
  }
  override lost(): void {
    this.socket = undefined;
  }
  override unreadable(): void {
    // Surely the next line is better.
  }
}

/** Takes every piece that arrives for a whole answer. */
class Hasty extends RemoteConnection {
  override lines(): Lines<Answer> {
    return new Pieces();
  }
}

class Pieces extends Lines<Answer> {
  override read(bytes: Buffer): Answer[] {
    if (bytes.at(-1) !== "\n".charCodeAt(0)) throw new Error("This is not an answer.");
    return super.read(bytes);
  }
}

class Once extends RemoteConnection {
  #isSpent = false;
  override open(): ReturnType<RemoteConnection["open"]> {
    if (this.#isSpent) throw new SessionError("STORE_UNAVAILABLE", "There was one connection.");
    return super.open();
  }
  override lost(socket: Parameters<RemoteConnection["lost"]>[0]): void {
    this.#isSpent = true;
    super.lost(socket);
  }
}

class Forgetful extends ReferenceStore {
  override async commit(id: string, commit: Commit): Promise<CommitResult> {
    const held = this.held.get(id);
    if (held !== undefined) held.opIds = [];
    return super.commit(id, commit);
  }
  override isRepeated(): boolean {
    return false;
  }
  override async end(id: string, reason: EndReason): Promise<EndResult> {
    const held = this.held.get(id);
    if (held === undefined) return { status: "gone" };
    this.finish(held, reason);
    return { status: "ended", durable: true };
  }
  override async track(batch: TrackBatch): Promise<void> {
    this.batches.clear();
    return super.track(batch);
  }
}

class ForgetfulServer extends RemoteServer {
  override makeStore(): ReferenceStore {
    return new Forgetful();
  }
}

class MortalServer extends RemoteServer {
  override async kill(): Promise<void> {
    await super.kill();
    this.empty();
  }
}

export const brokenRemotes: readonly BrokenRemote[] = [
  {
    name: "waits a minute for its store",
    parts: () => ({ config: { storeTimeout: "1m" } }),
    rejectedBy: ["1000 ms late", "10000 ms late", "swallows everything"],
  },
  {
    name: "asks five times where once would do, and takes its time",
    parts: () => ({
      config: { storeTimeout: "1m" },
      pass: async (method, args, _, ask) => {
        for (let time = 0; time < 4; time++) await ask("find", ["nobody"]);
        return ask(method, args);
      },
    }),
    rejectedBy: ["with answers that come 100 ms late"],
  },
  {
    name: "asks ten times where once would do",
    parts: () => ({
      pass: async (method, args, _, ask) => {
        for (let time = 0; time < 9; time++) await ask("find", ["nobody"]);
        return ask(method, args);
      },
    }),
    rejectedBy: ["slow and in time"],
  },
  {
    name: "never learns that nobody answers",
    parts: () => ({
      pass: (method, args, _, ask) => {
        const late = pause(200).then(() => {
          throw new SessionError("STORE_MISCONFIGURED", "Somebody should look into this.");
        });
        return Promise.race([ask(method, args), late]);
      },
    }),
    rejectedBy: ["swallows everything"],
  },
  {
    name: "computes while it waits",
    parts: () => ({
      pass: (method, args, _, ask) => {
        const stopAt = performance.now() + 80;
        while (performance.now() < stopAt);
        return ask(method, args);
      },
    }),
    rejectedBy: ["swallows everything"],
  },
  {
    name: "goes on with a memory of its own while its server is away",
    parts: () => {
      const own = new RemoteServer().store;
      return {
        pass: (method, args, call, ask) => {
          const instead = pause(100).then(() =>
            Reflect.apply(Reflect.get(own, method), own, [...args, call]),
          );
          return Promise.race([ask(method, args).catch(() => instead), instead]);
        },
      };
    },
    rejectedBy: ["no cookie is set or cleared", "comes back empty", "is read-only", "is loading"],
  },
  {
    name: "connects once",
    parts: () => ({ connection: (port) => new Once(port) }),
    rejectedBy: ["is not there, and is again"],
  },
  {
    name: "matches answers with questions by their order alone",
    parts: () => ({ connection: (port) => new InOrder(port) }),
    rejectedBy: [
      "reset at once",
      "reset in their middle",
      "truncated",
      "cut after some bytes",
      "closed in one direction",
      "preceded by nonsense",
      "lost on their way",
      "held up and given back late",
    ],
  },
  {
    name: "takes every piece of an answer for the whole",
    parts: () => ({ connection: (port) => new Hasty(port) }),
    rejectedBy: ["byte by byte"],
  },
  {
    name: "leaves what fails in the background to nobody",
    parts: () => ({
      pass: (method, args, _, ask) => {
        void ask("find", ["nobody"]);
        return ask(method, args);
      },
    }),
    rejectedBy: ["reset in their middle", "truncated"],
  },
  {
    name: "acknowledges what it has not yet sent",
    parts: () => ({
      pass: async (method, args, _, ask) => {
        if (method !== "commit") return ask(method, args);
        const [id, commit] = args as [string, Commit];
        const record = (await ask("find", [id])) as SessionRecord;
        void pause(30)
          .then(() => ask(method, args))
          .catch(() => undefined);
        const next = applyCommit(record.state, commit, Date.now());
        if (next.status !== "applied") return next;
        return { status: "applied", record: { ...record, state: next.state } };
      },
    }),
    rejectedBy: ["what was acknowledged is there"],
  },
  {
    name: "repeats by itself what it has sent, as something new",
    parts: () => ({
      pass: async (method, args, call, ask) => {
        if (method !== "commit") return ask(method, args);
        const [id, commit] = args as [string, Commit];
        for (let attempt = 0; ; attempt++) {
          try {
            return await ask(method, [id, { ...commit, opId: `${commit.opId} ${attempt}` }]);
          } catch (error) {
            if (attempt > 20 || call.signal.aborted) throw error;
            await pause(5);
          }
        }
      },
    }),
    rejectedBy: ["a change whose answer was lost is made once"],
  },
  {
    name: "remembers what it has read",
    parts: () => {
      const read = new Map<unknown, unknown>();
      return {
        pass: async (method, args, _, ask) => {
          if (method !== "find") return ask(method, args);
          const [id] = args;
          const found = read.get(id) ?? (await ask(method, args));
          read.set(id, found);
          return found;
        },
      };
    },
    rejectedBy: ["nobody is served with a session whose end was acknowledged"],
  },
  {
    name: "forgets what it has done already",
    parts: () => ({ server: () => new ForgetfulServer() }),
    rejectedBy: [
      "a change whose answer was lost",
      "a sign-in whose answer was lost",
      "a creation whose answer was lost",
      "an end whose answer was lost",
      "observations whose answer was lost",
    ],
  },
  {
    name: "loses with its process what it had acknowledged",
    parts: () => ({ server: () => new MortalServer() }),
    rejectedBy: ["has everything that it had acknowledged"],
  },
  {
    name: "calls every trouble the same",
    parts: () => ({
      pass: (method, args, _, ask) =>
        ask(method, args).catch(() => {
          throw new SessionError("STORE_UNAVAILABLE", "Something is wrong.");
        }),
    }),
    rejectedBy: ["a store that is full", "has another password now"],
  },
];
