import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import type { ResponseHead, Visit } from "@kyb/session-core";
import type { AdapterApp, TestData } from "../src/index.ts";

/** One request on its way through the reference adapter. */
export class Exchange {
  readonly app: AdapterApp;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  visit: Visit<TestData> | undefined;
  /** What the body parser has read. */
  body: string | undefined;
  /** Bytes of the response body. */
  size = 0;

  constructor(app: AdapterApp, req: IncomingMessage, res: ServerResponse) {
    this.app = app;
    this.req = req;
    this.res = res;
  }

  get url(): string {
    return this.req.url ?? "/";
  }

  get path(): string {
    return this.url.split("?", 1)[0] ?? "/";
  }
}

/** Where a visit writes its headers. */
export function headOf(res: ServerResponse): ResponseHead {
  return {
    get: (name) => joined(res.getHeader(name)),
    set: (name, value) => void res.setHeader(name, value),
    append: (name, value) => void res.appendHeader(name, value),
  };
}

function joined(value: OutgoingHttpHeader | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value?.toString();
}
