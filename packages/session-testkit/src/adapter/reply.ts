/** Writes a part of a streamed body; the first one sends the headers on their way. */
export type Write = (text: string) => Promise<void>;

/** What a body is made of. Each kind is to be sent in the way that is usual on the host. */
export type ReplyBody =
  /** No body at all: 204, 304. */
  | { readonly kind: "none" }
  /** Sent in one piece. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly value: unknown }
  /** The host's own redirection; it brings its status and its body. */
  | { readonly kind: "redirect"; readonly location: string }
  /** The handler goes on while its answer is on the way; the response ends when `run` is done. */
  | { readonly kind: "stream"; readonly run: (write: Write) => Promise<void> }
  /** A source that the host pipes into the response. */
  | { readonly kind: "pipe"; readonly chunks: () => AsyncIterable<Uint8Array> };

/** What a handler of the suite answers: data, which each host sends in its own idiom. */
export interface Reply {
  readonly status: number;
  /** Each name at most once. */
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` values of the application, to be added one after the other. */
  readonly cookies: readonly string[];
  readonly body: ReplyBody;
}

/** What a case may say of a reply beside its body. */
export type ReplyOptions = Partial<Pick<Reply, "status" | "headers" | "cookies">>;

export function text(content: string, options: ReplyOptions = {}): Reply {
  return reply({ kind: "text", text: content }, options);
}

export function json(value: unknown, options: ReplyOptions = {}): Reply {
  return reply({ kind: "json", value }, options);
}

export function empty(status: 204 | 304, options: ReplyOptions = {}): Reply {
  return reply({ kind: "none" }, { ...options, status });
}

export function redirect(location: string, options: ReplyOptions = {}): Reply {
  return reply({ kind: "redirect", location }, { status: 302, ...options });
}

export function stream(run: (write: Write) => Promise<void>, options: ReplyOptions = {}): Reply {
  return reply({ kind: "stream", run }, options);
}

/** Each text becomes one chunk; a function is awaited where it stands, between two chunks. */
export function pipe(
  parts: readonly (string | (() => Promise<void>))[],
  options: ReplyOptions = {},
): Reply {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      if (typeof part === "string") yield new TextEncoder().encode(part);
      else await part();
    }
  }
  return reply({ kind: "pipe", chunks }, options);
}

function reply(body: ReplyBody, { status = 200, headers = {}, cookies = [] }: ReplyOptions): Reply {
  return { status, headers, cookies, body };
}
