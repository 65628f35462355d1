/** A server that can be measured. All answer the same three paths. */
export interface Running {
  readonly port: number;
  /** Requests that it has tracked since it started; undefined: it counts none. */
  readonly tracked?: () => Promise<number> | number;
}

export type Variants = Readonly<Record<string, () => Promise<Running>>>;

/** What `/` answers: whose session this is, and how often it was seen. */
export interface Profile {
  readonly user: string | undefined;
  readonly n: number;
}

/** What `/log` answers: lines in this session's timeline. */
export interface Timeline {
  readonly entries: number;
}

/** The user that `/start?user=` names. */
export function userOf(url: string): string {
  return url.slice(url.indexOf("=") + 1);
}
