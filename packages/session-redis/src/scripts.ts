import { ACTIVITY } from "./lua/activity.ts";
import { COMMIT } from "./lua/commit.ts";
import { CREATE } from "./lua/create.ts";
import { END, END_AGAIN, END_IF_DUE, END_USER, SETTLE } from "./lua/end.ts";
import { FILING } from "./lua/filing.ts";
import { IMPORT } from "./lua/import.ts";
import { LIMITS } from "./lua/limits.ts";
import { LIST } from "./lua/list.ts";
import { METRICS } from "./lua/metrics.ts";
import { PRELUDE } from "./lua/prelude.ts";
import { SWEEP } from "./lua/sweep.ts";
import { TRACK } from "./lua/track.ts";
import {
  CONFIRM,
  EXPIRED,
  FORGET,
  MEMBERS,
  MOVED,
  MOVES,
  OLDEST_ENDED,
  PEAK,
  PEEK,
  RESERVE,
  ROOM,
  UNINDEX,
  UNLOCK,
} from "./lua/user-index.ts";

/** Every script that the store runs, whole. Each is one atomic step in one shard. */
export const SCRIPTS: Scripts = {
  create: PRELUDE + FILING + LIMITS + CREATE,
  commit: PRELUDE + LIMITS + COMMIT,
  track: PRELUDE + TRACK,
  end: PRELUDE + END,
  endIfDue: PRELUDE + END_IF_DUE,
  endAgain: PRELUDE + END_AGAIN,
  endUser: PRELUDE + END_USER,
  settle: PRELUDE + SETTLE,
  sweep: PRELUDE + SWEEP,
  list: PRELUDE + LIST,
  activity: PRELUDE + ACTIVITY,
  import: PRELUDE + FILING + IMPORT,
  metrics: PRELUDE + METRICS,
  reserve: PRELUDE + RESERVE,
  confirm: PRELUDE + CONFIRM,
  unindex: PRELUDE + UNINDEX,
  members: PRELUDE + MEMBERS,
  moves: PRELUDE + MOVES,
  moved: PRELUDE + MOVED,
  expired: PRELUDE + EXPIRED,
  peek: PRELUDE + PEEK,
  oldestEnded: PRELUDE + OLDEST_ENDED,
  forget: PRELUDE + FORGET,
  room: PRELUDE + ROOM,
  peak: PRELUDE + PEAK,
  unlock: PRELUDE + UNLOCK,
};

export type ScriptName =
  | "create"
  | "commit"
  | "track"
  | "end"
  | "endIfDue"
  | "endAgain"
  | "endUser"
  | "settle"
  | "sweep"
  | "list"
  | "activity"
  | "import"
  | "metrics"
  | "reserve"
  | "confirm"
  | "unindex"
  | "members"
  | "moves"
  | "moved"
  | "expired"
  | "peek"
  | "oldestEnded"
  | "forget"
  | "room"
  | "peak"
  | "unlock";

export type Scripts = Readonly<Record<ScriptName, string>>;
