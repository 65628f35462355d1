import { describe, expect, it } from "vitest";
import { type ApiAnswer, type ApiClient, ApiWorld } from "./support/api-world.ts";

/** An application with users, devices and visitors, and the ids of their sessions. */
interface People {
  readonly world: ApiWorld;
  readonly clients: Readonly<Record<Actor, ApiClient>>;
  readonly ids: Readonly<Record<Target, string>>;
}

type Actor = "stranger" | "visitor" | "alice" | "bob" | "admin";
type Target =
  | "visitor's"
  | "other visitor's"
  | "alice's"
  | "alice's phone"
  | "alice's ended"
  | "bob's"
  | "bob's ended"
  | "unknown";

const ACTORS: readonly Actor[] = ["stranger", "visitor", "alice", "bob", "admin"];

/** Which sessions each may reach. What has ended is the administrator's alone to see. */
const REACH: Readonly<Record<Actor, readonly Target[]>> = {
  stranger: [],
  visitor: ["visitor's"],
  alice: ["alice's", "alice's phone"],
  bob: ["bob's"],
  admin: [
    "visitor's",
    "other visitor's",
    "alice's",
    "alice's phone",
    "alice's ended",
    "bob's",
    "bob's ended",
  ],
};

async function people(behindSession: boolean): Promise<People> {
  const world = new ApiWorld({ behindSession });
  const clients = {
    stranger: world.client(),
    visitor: await world.anonymous(),
    alice: await world.signedIn("alice"),
    bob: await world.signedIn("bob"),
    admin: await world.signedIn("admin"),
  };
  const ended = async (userId: string): Promise<string> => {
    const client = await world.signedIn(userId);
    await client.visit((session) => session.signOut());
    return client.sessionId;
  };
  const ids = {
    "visitor's": clients.visitor.sessionId,
    "other visitor's": (await world.anonymous({ cart: ["book"] })).sessionId,
    "alice's": clients.alice.sessionId,
    "alice's phone": (await world.signedIn("alice")).sessionId,
    "alice's ended": await ended("alice"),
    "bob's": clients.bob.sessionId,
    "bob's ended": await ended("bob"),
    unknown: "A".repeat(32),
  };
  return { world, clients, ids };
}

const ROUTES = [
  ["GET", "/detail"],
  ["GET", "/activity"],
  ["DELETE", ""],
] as const;

for (const behindSession of [true, false]) {
  const where = behindSession ? "behind session()" : "on its own";

  describe(`access to the sessions of others, ${where} (R-52)`, () => {
    for (const actor of ACTORS) {
      for (const [method, path] of ROUTES) {
        it(`${method} /v1/sessions${path} lets ${actor} reach what is theirs`, async () => {
          const targets = Object.keys((await people(behindSession)).ids) as Target[];
          for (const target of targets) {
            const { clients, ids } = await people(behindSession);
            const { status } = await clients[actor].send(
              method,
              `${path}?session_id=${ids[target]}`,
            );
            expect([target, status]).toEqual([target, REACH[actor].includes(target) ? 200 : 404]);
          }
        });
      }

      it(`lists for ${actor} what is theirs`, async () => {
        const { clients, ids } = await people(behindSession);
        const { status, body } = await clients[actor].send("GET", "");
        if (actor === "stranger") {
          expect(status).toBe(403);
          return;
        }
        const listed = (body.sessions as { id: string }[]).map(({ id }) => id);
        const others = actor === "admin" ? [clients.admin.sessionId] : [];
        const expected = REACH[actor]
          .filter((target) => !target.endsWith("ended"))
          .map((target) => ids[target]);
        expect(listed.sort()).toEqual([...expected, ...others].sort());
        expect([body.count, body.total_count]).toEqual([listed.length, listed.length]);
      });

      it(`answers ${actor} by user as by id`, async () => {
        for (const user of ["alice", "bob", "nobody"]) {
          const { world, clients, ids } = await people(behindSession);
          const allowed = actor === "admin" || actor === user;
          const list = await clients[actor].send("GET", `?user_id=${user}`);
          expect([user, list.status]).toEqual([user, allowed ? 200 : 404]);
          const made = await clients[actor].send("POST", "", { body: { user_id: user } });
          expect([user, made.status]).toEqual([user, actor === "admin" ? 201 : 403]);
          const end = await clients[actor].send("DELETE", `?user_id=${user}`);
          expect([user, end.status]).toEqual([user, allowed ? 200 : 404]);
          for (const [target, owner] of [
            ["alice's", "alice"],
            ["bob's", "bob"],
          ] as const) {
            const isActive = (await world.manager.get(ids[target]))?.isActive;
            expect([user, target, isActive]).toEqual([user, target, !(allowed && owner === user)]);
          }
        }
      });

      it(`shows the numbers to nobody but the administrator, so not to ${actor} otherwise`, async () => {
        const { clients } = await people(behindSession);
        const isAdmin = actor === "admin";
        expect((await clients[actor].send("GET", "/metrics")).status).toBe(isAdmin ? 200 : 403);
        const { body } = await clients[actor].send("GET", "/status");
        const known = isAdmin
          ? [
              "success",
              "status",
              "features",
              "version",
              "configuration",
              "current_metrics",
              "statistics",
              "timestamp",
            ]
          : ["success", "status", "features"];
        expect(Object.keys(body)).toEqual(known);
      });

      it(`shows ended sessions to nobody but the administrator, so not to ${actor} otherwise`, async () => {
        const { clients } = await people(behindSession);
        for (const status of ["ended", "all"]) {
          const { status: code } = await clients[actor].send("GET", `?status=${status}`);
          expect(code).toBe(actor === "admin" ? 200 : 403);
          const user = actor === "bob" ? "bob" : "alice";
          const own = await clients[actor].send("GET", `?status=${status}&user_id=${user}`);
          const refused = actor === "alice" || actor === "bob" ? 403 : 404;
          expect(own.status).toBe(actor === "admin" ? 200 : refused);
        }
      });
    }
  });

  describe(`ids that are not the caller's, ${where} (R-67)`, () => {
    it("answer byte for byte as unknown ones do, header for header", async () => {
      for (const [method, path] of ROUTES) {
        for (const actor of ["stranger", "visitor", "alice"] as const) {
          const answers: Record<string, unknown> = {};
          const targets: Target[] = [
            "unknown",
            "bob's",
            "bob's ended",
            "alice's ended",
            "other visitor's",
          ];
          for (const target of targets) {
            const { clients, ids } = await people(behindSession);
            const answer = await clients[actor].send(method, `${path}?session_id=${ids[target]}`);
            answers[target] = visible(answer);
          }
          for (const target of targets)
            expect([target, answers[target]]).toEqual([target, answers.unknown]);
          expect(answers.unknown).toMatchObject({ status: 404 });
        }
      }
    });

    it("answer so as well if the authorizer throws, and for what has fallen due", async () => {
      const authorize = (): boolean => {
        throw new Error("no");
      };
      const { error } = console;
      console.error = () => undefined;
      try {
        const world = new ApiWorld({
          behindSession,
          api: { authorize },
          config: { sessionTimeout: "1h" },
        });
        const bob = await world.signedIn("bob");
        world.clock.advance(2 * 3_600_000);
        const alice = await world.signedIn("alice");
        const carol = await world.signedIn("carol");
        for (const [method, path] of ROUTES) {
          const ask = async (id: string): Promise<unknown> =>
            visible(await alice.send(method, `${path}?session_id=${id}`));
          const unknown = await ask("unknown");
          expect(await ask(bob.sessionId)).toEqual(unknown);
          expect(await ask(carol.sessionId)).toEqual(unknown);
        }
      } finally {
        console.error = error;
      }
    });

    it("are asked about alike, so that an authorizer's doings tell nothing either", async () => {
      const asked: string[] = [];
      const authorize = ({ action }: { action: string }): boolean => {
        asked.push(action);
        return false;
      };
      const world = new ApiWorld({ behindSession, api: { authorize } });
      const [alice, bob] = [await world.signedIn("alice"), await world.signedIn("bob")];
      for (const id of ["unknown", bob.sessionId]) {
        asked.length = 0;
        await alice.send("GET", `/detail?session_id=${id}`);
        expect(asked).toEqual(["detail"]);
      }
    });
  });
}

describe("the actor", () => {
  it("is who the credential says, and nothing else in the request (R-58)", async () => {
    const { clients, ids } = await people(true);
    const headers = {
      "x-user-id": "admin",
      "x-forwarded-user": "admin",
      "x-session-id": clients.admin.token,
      authorization: `Bearer ${clients.admin.token}`,
    };
    const detail = await clients.bob.send("GET", `/detail?session_id=${ids["alice's"]}`, {
      headers,
    });
    expect(detail.status).toBe(404);
    const made = await clients.bob.send("POST", "", { body: { user_id: "admin" }, headers });
    expect(made.status).toBe(403);
  });

  it("is nobody with another's id instead of a token", async () => {
    const { world, ids } = await people(true);
    const client = world.client();
    for (const token of [
      ids["alice's"],
      `${ids["alice's"]}.`,
      `${ids["alice's"]}.${"A".repeat(43)}`,
    ]) {
      const headers = { cookie: `__Host-kyb_session_id=${token}` };
      const { status } = await client.send("GET", `/detail?session_id=${ids["alice's"]}`, {
        headers,
      });
      expect(status).toBe(404);
    }
  });

  it("is not told from other visitors by a user id that both lack", async () => {
    const world = new ApiWorld();
    const [one, other] = [await world.anonymous(), await world.anonymous()];
    expect((await one.send("GET", `/detail?session_id=${other.sessionId}`)).status).toBe(404);
    expect((await one.send("DELETE", `?session_id=${other.sessionId}`)).status).toBe(404);
    const { body } = await one.send("GET", "");
    expect((body.sessions as { id: string }[]).map(({ id }) => id)).toEqual([one.sessionId]);
  });
});

describe("the data of a session", () => {
  const metadata = { theme: "dark", role: "tester", constructor: "x" };

  it("is shown to its user by the keys in clientReadable, and with permission whole", async () => {
    const world = new ApiWorld({ api: { clientReadable: ["theme", "missing", "toString"] } });
    const alice = await world.signedIn("alice", metadata);
    const admin = await world.signedIn("admin");
    const paths = ["/current", `/detail?session_id=${alice.sessionId}`, ""];
    for (const path of paths) {
      const { body } = await alice.send("GET", path);
      const session = body.session ?? (body.sessions as unknown[])[0];
      expect((session as { metadata: unknown }).metadata).toEqual({ theme: "dark" });
    }
    const { body } = await admin.send("GET", `/detail?session_id=${alice.sessionId}`);
    expect((body.session as { metadata: unknown }).metadata).toEqual(metadata);
  });

  it("is not shown at all by default", async () => {
    const alice = await new ApiWorld().signedIn("alice", metadata);
    const { text } = await alice.send("GET", "");
    expect(text).toContain('"metadata":{}');
    expect(text).not.toContain("tester");
  });

  it("never holds a token, a secret or a hash (R-03, R-08)", async () => {
    const world = new ApiWorld({ api: { authorize: () => true } });
    const alice = await world.signedIn("alice", metadata);
    const secret = alice.token.split(".")[1] ?? "";
    expect(secret).toHaveLength(43);
    const answers: ApiAnswer[] = [];
    for (const path of ["", "/current", "/activity", "/metrics", "/status", "?status=all"]) {
      answers.push(await alice.send("GET", path));
    }
    answers.push(await alice.send("POST", ""));
    for (const { text } of answers) {
      expect(text).not.toContain(secret);
      expect(text.toLowerCase()).not.toContain("secret");
      expect(text.toLowerCase()).not.toContain("hash");
    }
  });
});

/** All that a client can see of an answer. */
function visible({ status, headers, text }: ApiAnswer): unknown {
  return { status, text, headers: [...headers] };
}
