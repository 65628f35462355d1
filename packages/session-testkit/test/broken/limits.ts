import type {
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  NewSession,
  UserLimit,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

/** Looks at the limits, waits, and then creates or signs in. */
class LimitBefore extends ReferenceStore {
  override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
    const leaving = this.leavingFor(session.userId, limits.user, session.id);
    const room = this.room(limits.maxSessions, leaving?.length ?? 0);
    await this.gap();
    if (leaving === undefined) return { status: "refused", limit: "user" };
    if (room === undefined) return { status: "refused", limit: "sessions" };
    for (const held of [...leaving, ...room]) {
      if (held.record.endedAt === undefined) this.finish(held, "limit");
    }
    return super.create(session, { maxSessions: undefined, user: undefined });
  }
}

export const brokenLimits: readonly BrokenTwin[] = [
  twin(
    "makes room by ending the oldest session, whoever it belongs to",
    class extends ReferenceStore {
      override room(maxSessions: number | undefined, leaving: number): Held[] {
        const live = this.live();
        const excess = live.length - leaving + 1 - (maxSessions ?? Number.POSITIVE_INFINITY);
        return excess > 0 ? live.slice(0, excess) : [];
      }
    },
    "a full store ends provisional sessions first, the oldest of them (R-80)",
    "without provisional ones it ends the anonymous session with the oldest last access (R-80)",
    "signed-in sessions are never ended to make room: the new one is refused and leaves no trace (R-80)",
  ),
  twin(
    "counts due sessions against the limits",
    class extends ReferenceStore {
      override live(): Held[] {
        return [...this.held.values()].filter(({ record }) => record.endedAt === undefined);
      }
    },
    "a session that is due does not keep a new one out",
  ),
  twin(
    "looks at the limits before it waits",
    LimitBefore,
    "no number of creations at once leaves more than maxSessions (R-80)",
    "100 sign-ins at once with a limit of 5 leave 5, and each evicted one is heard of once (F-07, R-25)",
    "100 sign-ins at once with a limit of 5 that rejects let in exactly 5 (F-07, R-25)",
    "no sign-ins at the same time leave more sessions than a user may have (F-07, R-25)",
  ),
  twin(
    "ends the user's youngest session",
    class extends ReferenceStore {
      override leavingFor(
        ...args: [string | undefined, UserLimit | undefined, string]
      ): Held[] | undefined {
        const [userId, limit, newcomer] = args;
        const leaving = super.leavingFor(userId, limit, newcomer);
        const mine = this.live().filter(
          ({ record: { state } }) => state.userId === userId && state.id !== newcomer,
        );
        return leaving && mine.reverse().slice(0, leaving.length);
      }
    },
    "evict-oldest ends the user's oldest session, on create and on sign-in, and nobody else's (R-25)",
    "when the limit was lowered, as many go as are too many",
  ),
  twin(
    "knows one way to evict",
    class extends ReferenceStore {
      override leavingFor(
        userId: string | undefined,
        limit: UserLimit | undefined,
        newcomer: string,
      ): Held[] | undefined {
        const known = limit?.policy === "evict-least-recent";
        return super.leavingFor(
          userId,
          known ? { ...limit, policy: "evict-oldest" } : limit,
          newcomer,
        );
      }
    },
    "evict-least-recent ends the user's session with the oldest last access (R-25)",
  ),
  twin(
    "refuses a sign-in and writes its data",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const result = await super.commit(id, commit);
        if (result.status === "refused") await super.commit(id, { ...commit, change: undefined });
        return result;
      }
    },
    "reject refuses the sign-in and writes nothing: no data, no secret, no epoch (R-25)",
  ),
  twin(
    "counts the session that signs in against itself",
    class extends ReferenceStore {
      override leavingFor(
        userId: string | undefined,
        limit: UserLimit | undefined,
      ): Held[] | undefined {
        return super.leavingFor(userId, limit, "");
      }
    },
    "the session that signs in is never the one to go, and does not count against itself (R-25)",
  ),
  twin(
    "does not look at the limit when somebody signs in",
    class extends ReferenceStore {
      override leavingFor(
        userId: string | undefined,
        limit: UserLimit | undefined,
        newcomer: string,
      ): Held[] | undefined {
        return this.held.has(newcomer) ? [] : super.leavingFor(userId, limit, newcomer);
      }
    },
    "reject refuses the sign-in and writes nothing: no data, no secret, no epoch (R-25)",
    "no sign-ins at the same time leave more sessions than a user may have (F-07, R-25)",
    "through the manager: no user has more sessions than allowed (F-07)",
  ),
  twin(
    "counts ended sessions against the user's limit",
    class extends ReferenceStore {
      override leavingFor(
        userId: string | undefined,
        limit: UserLimit | undefined,
        newcomer: string,
      ): Held[] | undefined {
        const gone = [...this.held.values()].filter(
          ({ record }) => record.endedAt !== undefined && record.state.userId === userId,
        ).length;
        return super.leavingFor(userId, limit && { ...limit, max: limit.max - gone }, newcomer);
      }
    },
    "ended sessions do not count against the user's limit",
  ),
];
