import {
  increment,
  NO_LIMITS,
  newSession,
  remove,
  requestItem,
  set,
  signIn as signInChange,
} from "../fixtures.ts";
import type { Opened, RaceClient } from "./client.ts";

/** What one request of a client does. */
export interface Script {
  readonly name: string;
  run(client: RaceClient): Promise<void>;
}

/** Most tries of one compare-and-set; there are fewer clients than that. */
const MAX_TRIES = 50;

/** A request: found, handled, tracked. */
function request(
  name: string,
  handle: (client: RaceClient, opened: Opened) => Promise<void>,
): Script {
  return {
    name,
    run: async (client) => {
      const seenAt = client.world.now();
      const opened = await client.open();
      if (opened === undefined) return;
      await handle(client, opened);
      await client.track(requestItem(opened.subject.id, seenAt));
    },
  };
}

export const write: Script = request("write", async (client, opened) => {
  const key = client.unique("key");
  const result = await client.commit(opened, { ops: [set(key, 1), set("shared", client.name)] });
  if (result.status !== "applied" || client.random.chance(0.5)) return;
  await client.commit(opened, { ops: [client.random.chance(0.5) ? remove(key) : set(key, 2)] });
});

export const count: Script = request("count", async (client, opened) => {
  for (let times = 1 + client.random.below(3); times > 0; times--) {
    await client.commit(opened, { ops: [increment("n", client.random.below(9) - 3)] });
  }
});

/** What `update(key, fn)` does: compare, and try again with what came between. */
export const append: Script = request("append", async (client, opened) => {
  let { state } = opened.record;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const list = state.metadata.list;
    const next = [...(Array.isArray(list) ? list : []), client.name];
    const { version } = state;
    const result = await client.commit(opened, { version, ops: [set("list", next)] });
    if (result.status !== "conflict") return;
    state = result.record.state;
  }
  throw new Error("Compare-and-set never succeeds.");
});

export const overwrite: Script = request("overwrite", async (client, opened) => {
  await client.commit(opened, { ops: [set("shared", client.unique("value"))] });
  await client.commit(opened, { ops: [remove("shared")] });
});

export const visit: Script = request("visit", async () => undefined);

export const signIn: Script = request("sign-in", async (client, opened) => {
  const secretHash = client.newSecret();
  const change = signInChange(client.random.pick(client.world.users), {
    secretHash,
    keep: client.random.pick<true | readonly string[]>([[], ["n", "list"], true]),
    limit: client.world.limit,
  });
  const { subject, record } = opened;
  const presented = record.state.secretHash;
  const ops = [set("signed in by", client.name)];
  const result = await client.commit(opened, { secretHash: presented, ops, change });
  if (result.status !== "applied") return;
  subject.secretHash = secretHash;
  const inside: Opened = { subject, record: result.record };
  await client.commit(inside, { ops: [increment("n")] });
});

export const regenerate: Script = request("regenerate", async (client, { subject, record }) => {
  const secretHash = client.newSecret();
  const result = await client.commit(
    { subject, record },
    { secretHash: record.state.secretHash, change: { kind: "regenerate", secretHash } },
  );
  if (result.status === "applied") subject.secretHash = secretHash;
});

/** Regeneration by time: offer a successor, and present it with the next request. */
export const rotate: Script = request("rotate", async (client, opened) => {
  const { subject, record } = opened;
  const presented = record.state.secretHash;
  const offer = {
    kind: "offer",
    secretHash: client.newSecret(),
    nonce: client.unique("nonce"),
  } as const;
  const result = await client.commit(opened, { secretHash: presented, change: offer });
  if (result.status !== "applied") return;
  const secretHash = result.record.state.pending?.hash;
  if (secretHash === undefined) return;
  const promoted = await client.commit(opened, { secretHash, change: { kind: "promote" } });
  if (promoted.status === "applied") subject.secretHash = secretHash;
});

export const signOut: Script = request("sign-out", async (client, { record }) => {
  const { id, epoch } = record.state;
  await client.store.end(id, "signed-out", { epoch }, client.call);
  await client.store.find(id, client.call);
});

export const revoke: Script = {
  name: "revoke",
  run: async (client) => {
    const { id } = client.random.pick(client.world.subjects);
    await client.store.end(id, "revoked", {}, client.call);
    await client.store.find(id, client.call);
  },
};

export const revokeUser: Script = {
  name: "revoke user",
  run: async (client) => {
    const userId = client.random.pick(client.world.users);
    const except = client.random.chance(0.3)
      ? client.random.pick(client.world.subjects).id
      : undefined;
    await client.store.endUser(userId, "revoked", { except }, client.call);
    await client.look(userId);
  },
};

/** A new session for a user, as after a sign-in on a device of its own. */
export const login: Script = {
  name: "login",
  run: async (client) => {
    const { users, limit } = client.world;
    const userId = client.random.pick(users);
    const session = newSession(client.unique("login"), { userId });
    const result = await client.store.create(session, { ...NO_LIMITS, user: limit }, client.call);
    if (result.status !== "created") return;
    const subject = { id: session.id, secretHash: session.secretHash };
    await client.commit({ subject, record: result.record }, { ops: [increment("n")] });
    await client.look(userId);
  },
};

export const look: Script = {
  name: "look",
  run: async (client) => {
    for (let times = 1 + client.random.below(3); times > 0; times--) {
      await client.look(client.random.pick(client.world.users));
    }
  },
};

export const sweep: Script = {
  name: "sweep",
  run: async (client) => {
    await client.store.sweep({ milliseconds: 50 }, client.call);
    await client.store.endIfDue(client.random.pick(client.world.subjects).id, client.call);
  },
};
