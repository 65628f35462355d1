import { Browser } from "./browser.ts";

/** What the management API says of a session, as far as the tests look at it. */
export interface ApiSession {
  readonly id: string;
  readonly user_id: string | null;
}

/** One line of a timeline. */
export interface ApiEntry {
  readonly action: string;
  readonly endpoint: string;
  readonly method: string;
  readonly status_code: number;
  readonly duration_ms: number;
  readonly response_size: number;
}

/** The numbers that only count up and down, by name. */
export interface Counts {
  readonly total_sessions: number;
  readonly active_sessions: number;
  readonly [name: string]: number;
}

/** A running demo, and the people who use it. */
export class Shop {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Somebody's browser, without a session yet. */
  open(userAgent?: string): Browser {
    return new Browser(this.#url, userAgent === undefined ? {} : { userAgent });
  }

  async openSignedIn(user: string): Promise<Browser> {
    const browser = this.open();
    const { status } = await browser.post("/sign-in", { user });
    if (status !== 303) throw new Error(`Signing in as ${user} was answered with ${status}.`);
    return browser;
  }

  /** What the metrics say, with those by reason and by status beside the others. */
  async counts(): Promise<Counts> {
    const { metrics } = (await this.open().json("/v1/sessions/metrics")) as {
      metrics: Counts & Record<"ended_by_reason" | "requests_by_status", Record<string, number>>;
    };
    return { ...metrics, ...metrics.ended_by_reason, ...metrics.requests_by_status };
  }
}

/** The session of a browser. */
export async function sessionOf(browser: Browser): Promise<ApiSession> {
  return ((await browser.json("/v1/sessions/current")) as { session: ApiSession }).session;
}

/** What a browser's session did, newest first. */
export async function timelineOf(browser: Browser): Promise<readonly ApiEntry[]> {
  const answer = await browser.json("/v1/sessions/activity?limit=50");
  return (answer as { activity: readonly ApiEntry[] }).activity;
}
