interface StoredCookie {
  readonly value: string;
  readonly sameSite: string;
}

/** What a request is sent along with. */
export interface BrowserRequest {
  readonly method?: string;
  /** An empty one is left out, also where the browser would send one by itself. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
  /** Whether another site caused it; then strict cookies stay at home, as in a browser. */
  readonly crossSite?: boolean;
}

/** Sends one request; `fetch`, or a handler in this process. */
export type Send = (request: Request) => Promise<Response>;

/**
 * As much of a browser as the examples need: it keeps cookies per host, heeds SameSite for navigations, says where
 * a request comes from, and follows no redirect by itself.
 */
export class Browser {
  readonly #jars = new Map<string, Map<string, StoredCookie>>();
  readonly #origin: string;
  readonly #send: Send;
  readonly #userAgent: string;

  constructor(origin: string, options: { send?: Send; userAgent?: string } = {}) {
    this.#origin = origin;
    this.#send = options.send ?? fetch;
    this.#userAgent =
      options.userAgent ?? "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0";
  }

  async request(path: string, options: BrowserRequest = {}): Promise<Response> {
    const url = new URL(path, this.#origin);
    const jar = this.#jar(url);
    const crossSite = options.crossSite === true;
    const isSafe = options.method === undefined || options.method === "GET";
    const cookies = [...jar].filter(
      ([, { sameSite }]) => !crossSite || (isSafe && sameSite === "lax"),
    );
    const headers = new Headers({
      "User-Agent": this.#userAgent,
      "Sec-Fetch-Site": crossSite ? "cross-site" : "same-origin",
      ...options.headers,
    });
    for (const [name, value] of [...headers]) if (value === "") headers.delete(name);
    if (cookies.length > 0) {
      headers.set("Cookie", cookies.map(([name, { value }]) => `${name}=${value}`).join("; "));
    }
    const { method = "GET", body } = options;
    const response = await this.#send(
      new Request(url, {
        method,
        headers,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      }),
    );
    for (const line of response.headers.getSetCookie()) store(jar, line);
    return response;
  }

  /** Sends a form. */
  post(path: string, fields: Record<string, string> = {}): Promise<Response> {
    return this.request(path, { method: "POST", body: new URLSearchParams(fields) });
  }

  /** The text of a page. */
  async read(path: string, options: BrowserRequest = {}): Promise<string> {
    return (await this.request(path, options)).text();
  }

  /** What the management API answers. */
  async json(path: string, options: BrowserRequest = {}): Promise<unknown> {
    return (await this.request(path, options)).json();
  }

  /** The value of a cookie of the origin that this browser began with. */
  cookie(name = "kyb_session_id"): string | undefined {
    return this.#jar(new URL(this.#origin)).get(name)?.value;
  }

  #jar({ host }: URL): Map<string, StoredCookie> {
    const jar = this.#jars.get(host) ?? new Map<string, StoredCookie>();
    this.#jars.set(host, jar);
    return jar;
  }
}

function store(jar: Map<string, StoredCookie>, line: string): void {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const split = pair.indexOf("=");
  const name = pair.slice(0, split);
  const given = new Map(
    attributes.map((text) => {
      const [key = "", value = ""] = text.split("=");
      return [key.toLowerCase(), value] as const;
    }),
  );
  const isOver =
    given.get("max-age") === "0" || Date.parse(given.get("expires") ?? "") <= Date.now();
  if (isOver) jar.delete(name);
  else
    jar.set(name, {
      value: pair.slice(split + 1),
      sameSite: (given.get("samesite") ?? "lax").toLowerCase(),
    });
}
