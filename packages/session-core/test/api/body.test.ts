import { describe, expect, it } from "vitest";
import { type ApiAnswer, ApiWorld, type Init } from "./support/api-world.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** What a client that may set anything is answered; it never leaves a session behind when it is refused. */
async function post(init: Init): Promise<ApiAnswer> {
  const world = new ApiWorld({ api: { authorize: () => true } });
  const answer = await world.client().send("POST", "", init);
  const { totalSessions } = await world.manager.metrics();
  expect(totalSessions).toBe(answer.status < 300 ? 1 : 0);
  if (answer.status >= 300) expect(answer.setCookies).toEqual([]);
  return answer;
}

async function refusal(body: string): Promise<unknown> {
  const answer = await post({ body, headers: JSON_TYPE });
  return answer.body.code === "INVALID_BODY" ? answer.body.error : `status ${answer.status}`;
}

function nested(levels: number): string {
  return `{"metadata":${'{"a":'.repeat(levels - 1)}1${"}".repeat(levels)}`;
}

/** A body that comes in pieces, with no length announced. */
function stream(
  chunk: string,
  count: number,
  onCancel: () => void = () => undefined,
): ReadableStream {
  const bytes = new TextEncoder().encode(chunk);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent++ < count) controller.enqueue(bytes);
      else controller.close();
    },
    cancel: onCancel,
  });
}

describe("the body of a request", () => {
  it("is application/json and nothing else (R-53)", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
      "application/json-patch+json",
      "application/vnd.api+json",
      "text/plain; application/json",
      "application/json, text/plain",
      "",
    ]) {
      const { status, body } = await post({ body: "{}", headers: { "content-type": type } });
      expect([type, status, body.code]).toEqual([type, 415, "UNSUPPORTED_MEDIA_TYPE"]);
    }
    // No type at all is no type that a page of this site would send.
    expect((await post({ body: "{}" })).status).toBe(415);
    for (const type of [
      "application/json",
      "Application/JSON; charset=utf-8",
      "application/json ;x=y",
    ]) {
      expect((await post({ body: "{}", headers: { "content-type": type } })).status).toBe(201);
    }
  });

  it("may be missing altogether", async () => {
    expect((await post({})).status).toBe(201);
    expect(await refusal("")).toBe("The body is not valid JSON.");
  });

  it("is counted while it is read, whatever was announced (R-56)", async () => {
    let cancelled = false;
    const endless = stream("x".repeat(1000), Number.POSITIVE_INFINITY, () => {
      cancelled = true;
    });
    const { status, body } = await post({ body: endless, headers: JSON_TYPE });
    expect([status, body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(cancelled).toBe(true);

    const small = stream('{"metadata":{}}', 1);
    const announced = { ...JSON_TYPE, "content-length": "65537" };
    expect((await post({ body: small, headers: announced })).status).toBe(413);
  });

  it("has at most 65536 bytes, not characters", async () => {
    const fitting = (length: number, character: string): string => {
      const empty = JSON.stringify({ metadata: { a: "" } });
      const bytes = new TextEncoder().encode(character).byteLength;
      return empty.replace('""', `"${character.repeat((length - empty.length) / bytes)}"`);
    };
    const full = fitting(65_536, "x");
    expect(new TextEncoder().encode(full).byteLength).toBe(65_536);
    expect((await post({ body: full, headers: JSON_TYPE })).status).toBe(201);
    expect((await post({ body: `${full} `, headers: JSON_TYPE })).status).toBe(413);
    const wide = fitting(65_536, "é");
    expect((await post({ body: wide.replace("é", "éé"), headers: JSON_TYPE })).status).toBe(413);
  });

  it("that breaks off is refused", async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error("the client has left"));
      },
    });
    const { status, body } = await post({ body: broken, headers: JSON_TYPE });
    expect([status, body.code]).toEqual([400, "INVALID_BODY"]);
  });

  it("is nested at most 32 deep (R-56)", async () => {
    expect((await post({ body: nested(32), headers: JSON_TYPE })).status).toBe(201);
    expect(await refusal(nested(33))).toBe("The body is nested deeper than 32 levels.");
    const arrays = 32_000;
    expect(await refusal(`{"metadata":{"a":${"[".repeat(arrays)}${"]".repeat(arrays)}}}`)).toBe(
      "The body is nested deeper than 32 levels.",
    );
    expect(await refusal("[".repeat(65_000))).toBe("The body is not valid JSON.");
    // Brackets in a text nest nothing.
    const text = JSON.stringify({ metadata: { a: '[{"'.repeat(100), '{"b":': "}]" } });
    expect((await post({ body: text, headers: JSON_TYPE })).status).toBe(201);
  });

  it("has at most 1000 keys (R-56)", async () => {
    const withKeys = (count: number): string => {
      const entries = Array.from({ length: count - 1 }, (_, index) => [`k${index}`, index]);
      return JSON.stringify({ metadata: Object.fromEntries(entries) });
    };
    expect((await post({ body: withKeys(1000), headers: JSON_TYPE })).status).toBe(201);
    expect(await refusal(withKeys(1001))).toBe("The body has more than 1000 keys.");
    const spread = JSON.stringify({
      metadata: { a: Array.from({ length: 1000 }, () => ({ x: 1 })) },
    });
    expect(await refusal(spread)).toBe("The body has more than 1000 keys.");
  });

  it("has each key once, in whatever spelling and at whatever depth (R-65)", async () => {
    expect(await refusal('{"user_id":"bob","user_id":"alice"}')).toBe('"user_id" is given twice.');
    expect(await refusal('{"user_id":"bob","user_\\u0069d":"alice"}')).toBe(
      '"user_id" is given twice.',
    );
    expect(await refusal('{"metadata":{"a":{"b":1, "c":2, "b" : 3}}}')).toBe('"b" is given twice.');
    expect(await refusal('{"metadata":{"a":[{"b":1},{"b":1,"b":1}]}}')).toBe('"b" is given twice.');
    const once = '{"metadata":{"a":{"a":1},"b":[{"a":1},{"a":1}],"c":"\\"a\\":1,\\"a\\":2"}}';
    expect((await post({ body: once, headers: JSON_TYPE })).status).toBe(201);
  });

  it("refuses __proto__ and takes its kin as plain data (R-71)", async () => {
    for (const body of [
      '{"__proto__":{"user_id":"bob"}}',
      '{"metadata":{"__proto__":{"admin":true}}}',
      '{"metadata":{"a":[{"\\u005f_proto__":1}]}}',
    ]) {
      expect(await refusal(body)).toBe('The key "__proto__" is refused.');
    }
    const world = new ApiWorld({ api: { authorize: () => true } });
    const client = world.client();
    const metadata = {
      constructor: { prototype: { admin: true } },
      toString: "x",
      prototype: 1,
      "0": "y",
    };
    const { status } = await client.send("POST", "", { body: { metadata } });
    expect(status).toBe(201);
    const { body } = await client.send("GET", "/current");
    expect((body.session as { metadata: unknown }).metadata).toEqual(metadata);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("is JSON from its first to its last byte", async () => {
    for (const body of [
      "{} {}",
      "{}x",
      "{'a':1}",
      '{"a":}',
      "{,}",
      "\u0000{}",
      "undefined",
      "NaN",
      '{"a":1',
      '"',
    ]) {
      expect(await refusal(body)).toBe("The body is not valid JSON.");
    }
    const latin1 = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array([0x22, 0xe9, 0x22]));
        controller.close();
      },
    });
    const { body } = await post({ body: latin1, headers: JSON_TYPE });
    expect(body.error).toBe("The body is not UTF-8.");
  });

  it("is an object with the documented fields, and the answer names the wrong one (R-57)", async () => {
    for (const body of ["[]", "null", "1", '"x"', "true", '[{"user_id":"bob"}]']) {
      expect(await refusal(body)).toBe("The body must be a JSON object.");
    }
    for (const field of [
      "userId",
      "id",
      "epoch",
      "created_at",
      "constructor",
      "toString",
      "token",
      "__proto",
    ]) {
      expect(await refusal(JSON.stringify({ [field]: "x" }))).toBe(
        `The body has no field "${field}".`,
      );
    }
    for (const user of [null, 1, "", true, [], {}, ["bob"], "x".repeat(257)]) {
      expect(await refusal(JSON.stringify({ user_id: user }))).toBe(
        "user_id must be a text of 1 to 256 characters.",
      );
    }
    for (const metadata of [null, 1, "x", [], true, { "": 1 }]) {
      expect(await refusal(JSON.stringify({ metadata }))).toBe(
        "metadata must be an object whose keys are not empty.",
      );
    }
  });

  it("takes no time to refuse, however it is made up", async () => {
    const quotes = `{"a":"${'\\"'.repeat(32_000)}`;
    const spaces = `{"a"${" ".repeat(65_000)}`;
    const startedAt = performance.now();
    await refusal(quotes);
    await refusal(spaces);
    await refusal(`{"metadata":{"a":"${'\\"'.repeat(32_000)}", "a":1}}`);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
