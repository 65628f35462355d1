import type { Pace } from "../method/rounds.ts";
import type { RowReport } from "../report/finding.ts";

/** How a run is made. */
export interface Context {
  readonly isQuick: boolean;
  /** Of rows that compare servers. */
  readonly pace: Pace;
  /** Sessions where the targets say a million. */
  readonly million: number;
  /** Says what is under way. */
  readonly say: (text: string) => void;
}

/** One group of targets that are measured together. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  readonly targets: readonly string[];
  readonly run: (context: Context) => Promise<RowReport>;
}
