import { isSessionError } from "@kyb/session-core";
import {
  empty,
  json,
  pipe,
  type Reply,
  type ReplyOptions,
  redirect,
  stream,
  text,
} from "./reply.ts";

/** Makes a reply of the given kind; see {@link repliesOf}. */
export interface Replies {
  (kind: string | null): Reply;
  /** Every kind of body that there is. */
  readonly kinds: readonly string[];
}

/** One reply of each kind, all with the same options, for what must hold whatever the body is. */
export function repliesOf(options: ReplyOptions = {}): Replies {
  const make: Readonly<Record<string, () => Reply>> = {
    text: () => text("done", options),
    json: () => json({ done: true }, options),
    redirect: () => redirect("/read", options),
    none: () => empty(204, options),
    stream: () =>
      stream(async (write) => {
        await write("do");
        await write("ne");
      }, options),
    pipe: () => pipe(["do", "ne"], options),
  };
  const of = (kind: string | null): Reply => {
    const found = make[kind ?? ""];
    if (found === undefined) throw new Error(`There is no reply of the kind ${kind}.`);
    return found();
  };
  return Object.assign(of, { kinds: Object.keys(make) });
}

/** Error handling of an application: what it makes of an error, and that it was asked at all. */
export function errorReply(error: unknown): Reply {
  const { code, status } = isSessionError(error) ? error : { code: "", status: 500 };
  const message = error instanceof Error ? error.message : "no error";
  return text(`handled ${code || message}`, { status });
}
