import { describe, expect, it } from "vitest";
import { ROUTES } from "../../src/api/routes.ts";
import { memoryStore, SessionError, type SessionStore } from "../../src/index.ts";
import { FailingStore } from "../support/failing-store.ts";
import { wrappedStore } from "../support/wrapped-store.ts";
import { type ApiAnswer, ApiWorld, BASE, PEER, reportsOf } from "./support/api-world.ts";
import { document, OPERATIONS } from "./support/openapi.ts";

// `send` holds every answer against the document; these tests are about the document as a whole.

type Meet = () => Promise<ApiAnswer>;

/** How each documented answer is met, by route and status. */
const ANSWERS: Record<string, Meet> = {
  "GET / 200": async () => (await new ApiWorld().signedIn("admin")).send("GET", ""),
  "GET / 403": () => new ApiWorld().client().send("GET", ""),
  "GET / 404": () => new ApiWorld().client().send("GET", "?user_id=bob"),

  "POST / 200": async () => (await new ApiWorld().signedIn("alice")).send("POST", ""),
  "POST / 201": async () => {
    const admin = await new ApiWorld().signedIn("admin");
    await admin.send("POST", "", { body: { user_id: "bob", metadata: { role: "tester" } } });
    return new ApiWorld().client().send("POST", "", { body: {} });
  },
  "POST / 403": () => new ApiWorld().client().send("POST", "", { body: { user_id: "bob" } }),
  "POST / 409": async () => {
    const client = await new ApiWorld().signedIn("alice");
    const before = new Map(client.cookies);
    await client.visit((session) => session.signOut());
    for (const [name, value] of before) client.cookies.set(name, value);
    return client.send("POST", "");
  },
  "POST / 413": () => new ApiWorld().client().send("POST", "", { body: { a: "x".repeat(65_536) } }),
  "POST / 415": () => new ApiWorld().client().send("POST", "", { body: "user_id=bob" }),
  "POST / 501": () =>
    new ApiWorld({ config: { transports: ["bearer"] } }).client().send("POST", ""),

  "DELETE / 200": async () => {
    const client = await new ApiWorld().signedIn("alice");
    return client.send("DELETE", `?session_id=${client.sessionId}`);
  },
  "DELETE / 403": async () => {
    const client = await new ApiWorld().signedIn("alice");
    const headers = { "sec-fetch-site": "cross-site" };
    return client.send("DELETE", `?session_id=${client.sessionId}`, { headers });
  },
  "DELETE / 404": () => new ApiWorld().client().send("DELETE", "?session_id=unknown"),
  "DELETE / 409": async () => {
    const world = new ApiWorld({ behindSession: false });
    const client = await world.anonymous();
    const url = `https://shop.example${BASE}?session_id=${client.sessionId}`;
    const slow = new Request(url, {
      method: "DELETE",
      headers: { cookie: `${[...client.cookies.keys()][0]}=${client.token}` },
    });
    // A request that was under way while another one signed in has no say about the user's session.
    const visit = await world.manager.visit(slow, PEER);
    await client.visit((session) => session.signIn("alice"));
    const response = await world.api(slow, PEER, { visit });
    const body = (await response?.json()) as Record<string, unknown>;
    const headers = response?.headers ?? new Headers();
    return { status: response?.status ?? 0, headers, text: "", body, setCookies: [] };
  },

  "GET /current 200": () => new ApiWorld().client().send("GET", "/current"),
  "GET /current 404": () => new ApiWorld({ behindSession: false }).client().send("GET", "/current"),

  "GET /detail 200": async () => {
    const client = await new ApiWorld().signedIn("alice");
    return client.send("GET", `/detail?session_id=${client.sessionId}`);
  },
  "GET /detail 404": () => new ApiWorld().client().send("GET", "/detail?session_id=unknown"),

  "GET /activity 200": async () => {
    const client = await new ApiWorld().signedIn("alice");
    await client.visit((session) => session.track("checkout", { total: 12 }));
    return client.send("GET", "/activity");
  },
  "GET /activity 404": () => new ApiWorld().client().send("GET", "/activity?session_id=unknown"),

  "GET /metrics 200": async () => (await new ApiWorld().signedIn("admin")).send("GET", "/metrics"),
  "GET /metrics 403": () => new ApiWorld().client().send("GET", "/metrics"),
  "GET /metrics 501": async () =>
    (await new ApiWorld({ config: { enableMetrics: false } }).signedIn("admin")).send(
      "GET",
      "/metrics",
    ),

  "GET /status 200": async () => {
    await (await new ApiWorld().signedIn("admin")).send("GET", "/status");
    return new ApiWorld().client().send("GET", "/status");
  },
  "GET /openapi.json 200": () => new ApiWorld().client().send("GET", "/openapi.json"),
};

for (const method of ["GET", "DELETE"]) {
  ANSWERS[`${method} / 501`] = async () => {
    const store = withoutUserIndex();
    const client = await new ApiWorld({ config: { store } }).signedIn("alice");
    return client.send(method, "?user_id=alice");
  };
}

/** A store that cannot tell which sessions a user has. */
function withoutUserIndex(): SessionStore {
  const inner = memoryStore();
  const unsupported = (): never => {
    throw new SessionError("UNSUPPORTED", "This store has no index of users.");
  };
  return {
    ...wrappedStore(inner, (_method, run) => run(), { userIndex: false }),
    endUser: unsupported,
    list: (query, call) => (query.userId === undefined ? inner.list(query, call) : unsupported()),
  };
}

for (const { method, path } of ROUTES) {
  const target = path === "/" ? "" : path;
  ANSWERS[`${method} ${path} 400`] = () =>
    new ApiWorld().client().send(method, `${target}?colour=red`);
  ANSWERS[`${method} ${path} 500`] = async () => {
    const config = {
      skip: () => {
        throw new Error("a bug in the application");
      },
    };
    const client = new ApiWorld({ config, behindSession: false }).client();
    const answers: ApiAnswer[] = [];
    const reports = await reportsOf(async () => answers.push(await client.send(method, target)));
    expect(reports).toHaveLength(1);
    return answers[0] ?? Promise.reject(new Error("There was no answer."));
  };
  ANSWERS[`${method} ${path} 503`] = async () => {
    const failing = new FailingStore(memoryStore());
    const world = new ApiWorld({ config: { store: failing.store }, behindSession: false });
    const client = await world.signedIn("alice");
    failing.fail("rejects");
    return client.send(method, target);
  };
}

describe("the OpenAPI document", () => {
  for (const [name, meet] of Object.entries(ANSWERS)) {
    it(`describes the answer ${name}`, async () => {
      const { status } = await meet();
      expect(status).toBe(Number(name.slice(-3)));
    });
  }

  it("documents exactly the answers that are met above", () => {
    const documented = [...OPERATIONS].flatMap(([route, { responses }]) =>
      Object.keys(responses).map((status) => `${route} ${status}`),
    );
    expect(documented.sort()).toEqual(Object.keys(ANSWERS).sort());
  });

  it("documents exactly the routes and their parameters", () => {
    const routes = ROUTES.map(({ method, path, parameters }) => [
      `${method} ${path}`,
      [...parameters].sort(),
    ]);
    const shared: Readonly<Record<string, { name: string }>> = document.components.parameters;
    const documented = [...OPERATIONS].map(([route, { parameters = [] }]) => [
      route,
      parameters
        .map(({ name, $ref }) => name ?? shared[$ref?.split("/").at(-1) ?? ""]?.name)
        .sort(),
    ]);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it("closes every object that it describes", () => {
    const open = findOpen(document.components.schemas, "schemas");
    // Closed where they are used, because the metrics are the two of them together.
    expect(open).toEqual(["schemas.BasicMetrics", "schemas.Statistics"]);
    const closed = JSON.stringify(document.components.schemas).match(
      /"unevaluatedProperties":false/g,
    );
    expect(closed).toHaveLength(3);
  });

  it("refuses what is not documented, so that holding answers against it means something", async () => {
    const { violations } = await import("./support/openapi.ts");
    const answer = await (await new ApiWorld().signedIn("alice")).send("GET", "/current");
    const session = answer.body.session as Record<string, unknown>;
    const check = (status: number, body: unknown): string[] =>
      violations("GET", "/current", status, answer.headers, body);
    expect(check(200, answer.body)).toEqual([]);
    expect(check(200, { ...answer.body, session: { ...session, secret: "x" } })).toHaveLength(1);
    expect(check(200, { ...answer.body, session: { ...session, created_at: 1 } })).toHaveLength(1);
    expect(
      check(200, { ...answer.body, session: { ...session, is_active: undefined } }),
    ).toHaveLength(1);
    expect(check(200, { ...answer.body, more: true })).toHaveLength(1);
    expect(check(402, answer.body)).toHaveLength(1);
    expect(violations("GET", "/other", 200, answer.headers, {})).toHaveLength(1);
    expect(violations("PUT", "/", 200, answer.headers, {})).toHaveLength(1);
  });

  it("is served as it is checked in", async () => {
    const { body } = await new ApiWorld().client().send("GET", "/openapi.json");
    expect(body).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it("names a server relative to itself, whatever the base path", async () => {
    const world = new ApiWorld({ api: { basePath: "/internal/who-is-on" } });
    const { body } = await world.client().send("GET", "/openapi.json");
    const [server] = body.servers as { url: string }[];
    const own = "https://shop.example/admin/internal/who-is-on/openapi.json";
    expect(new URL(server?.url ?? "", own).pathname).toBe("/admin/internal/who-is-on");
  });
});

/** Where an object with properties would let others pass. */
function findOpen(schema: unknown, place: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const own = schema as Record<string, unknown>;
  const isOpen =
    typeof own.properties === "object" && own.type === "object" && !("additionalProperties" in own);
  const inside = Object.entries(own).flatMap(([key, value]) => findOpen(value, `${place}.${key}`));
  return isOpen ? [place, ...inside] : inside;
}
