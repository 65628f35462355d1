import type { OutgoingHttpHeader, ServerResponse } from "node:http";
import type { ResponseHead } from "@kyb/session-core";

/** Status and headers of an answer at one moment. */
export interface AnswerHead {
  readonly status: number;
  readonly message: string;
  readonly headers: ReadonlyMap<string, OutgoingHttpHeader>;
}

/** Describes the body of one answer, or says how long that answer may be kept. `content-*` belongs to them. */
const ABOUT_THE_ANSWER: ReadonlySet<string> = new Set([
  "accept-ranges", "cache-control", "etag", "expires", "last-modified", "location", "refresh", "trailer",
  "transfer-encoding",
]); // biome-ignore format: a list of names

/** Policies of the application for whatever it answers. */
const ABOUT_EVERY_ANSWER = /^content-security-policy/;

/** Where a visit writes its cookie: the headers of a response that are about to leave. */
export class LeavingHead implements ResponseHead {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  get(name: string): string | undefined {
    const value = this.#res.getHeader(name);
    return Array.isArray(value) ? value.join(", ") : value?.toString();
  }

  set(name: string, value: string): void {
    this.#res.setHeader(name, value);
  }

  append(name: string, value: string): void {
    this.#res.appendHeader(name, value);
  }
}

export function takeHead(res: ServerResponse): AnswerHead {
  const headers = new Map<string, OutgoingHttpHeader>();
  for (const [name, value] of Object.entries(res.getHeaders())) {
    // A list is copied, because `appendHeader` grows it in place.
    if (value !== undefined) headers.set(name, Array.isArray(value) ? [...value] : value);
  }
  return { status: res.statusCode, message: res.statusMessage, headers };
}

/** Makes the head again what it was. */
export function putHead(res: ServerResponse, head: AnswerHead): void {
  res.statusCode = head.status;
  res.statusMessage = head.message;
  for (const name of res.getHeaderNames()) {
    if (!head.headers.has(name)) res.removeHeader(name);
  }
  for (const [name, value] of head.headers) {
    if (!isSame(value, res.getHeader(name))) res.setHeader(name, value);
  }
}

/** Takes back an answer that was not given. What the application sets on all its answers stays, cookies too. */
export function clearHead(res: ServerResponse): void {
  res.statusCode = 200;
  res.statusMessage = "";
  for (const name of res.getHeaderNames()) {
    const isOfAnswer = name.startsWith("content-")
      ? !ABOUT_EVERY_ANSWER.test(name)
      : ABOUT_THE_ANSWER.has(name);
    if (isOfAnswer) res.removeHeader(name);
  }
}

function isSame(before: OutgoingHttpHeader, now: OutgoingHttpHeader | undefined): boolean {
  if (!Array.isArray(before) || !Array.isArray(now)) return before === now;
  return before.length === now.length && before.every((value, index) => value === now[index]);
}
