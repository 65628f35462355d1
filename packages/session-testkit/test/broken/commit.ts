import type {
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  NewSession,
  SessionRecord,
  SessionState,
} from "@kyb/session-core/store";
import { applyCommit } from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { AfterCommit, InsteadOfCommit } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

/** Reads, waits, and writes back what it made of what it had read. */
class BlindSet extends ReferenceStore {
  override async commit(id: string, commit: Commit): Promise<CommitResult> {
    await this.gap();
    const held = this.liveOne(id);
    if (held === undefined) return { status: "gone" };
    const { record } = held;
    const next = applyCommit(record.state, commit, this.now());
    await this.gap();
    if (next.status === "conflict") return { status: "conflict", record };
    if (next.status !== "applied") return next;
    this.write(held, commit, { ...record, state: next.state });
    return { status: "applied", record: held.record };
  }
}

/** Checks in one step and writes in the next. */
class CheckThenWrite extends ReferenceStore {
  override async commit(id: string, commit: Commit): Promise<CommitResult> {
    const held = this.liveOne(id);
    if (held === undefined) return { status: "gone" };
    const { record } = held;
    if (held.opIds.includes(commit.opId)) return { status: "applied", record };
    const verdict = applyCommit(record.state, commit, this.now());
    await this.gap();
    await this.gap();
    if (verdict.status === "conflict") return { status: "conflict", record };
    if (verdict.status !== "applied") return verdict;
    const { epoch, version } = held.record.state;
    const late = { ...commit, epoch, secretHash: undefined, version: commit.version && version };
    const next = applyCommit(held.record.state, late, this.now());
    if (next.status === "applied") this.write(held, commit, { ...held.record, state: next.state });
    return { status: "applied", record: held.record };
  }
}

export const brokenCommits: readonly BrokenTwin[] = [
  twin(
    "applies the changes of a commit in reverse",
    class extends InsteadOfCommit {
      override instead(_id: string, commit: Commit): Commit {
        return { ...commit, ops: [...commit.ops].reverse() };
      }
    },
    "set, delete and increment are applied in order, and find shows what commit answered (R-27)",
  ),
  twin(
    "raises the epoch with every commit",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState): SessionState {
        return { ...after, epoch: after.epoch + 1 };
      }
    },
    "each commit raises the version by one and leaves epoch, secret and user alone",
  ),
  twin(
    "never gives back the bytes of deleted data",
    class extends AfterCommit {
      override after(before: SessionState, after: SessionState): SessionState {
        return { ...after, metadataBytes: Math.max(before.metadataBytes, after.metadataBytes) };
      }
    },
    "the size of the data goes back to nothing when all of it is deleted",
  ),
  twin(
    "keeps the first half of a commit whose second half it refuses",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const result = await super.commit(id, commit);
        const [first] = commit.ops;
        if (result.status !== "refused" || first === undefined) return result;
        await super.commit(id, { ...commit, opId: `half of ${commit.opId}`, ops: [first] });
        return result;
      }
    },
    "an increment of what is no number, or beyond all numbers, is refused and nothing of the commit is written",
    "data that grows over the limit is refused whole, and data that shrinks is accepted though it is over it",
  ),
  twin(
    "revives an ended session that somebody commits to",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const held = this.held.get(id);
        if (held !== undefined)
          held.record = { ...held.record, endedAt: undefined, endReason: undefined };
        return super.commit(id, commit);
      }
    },
    "a commit to a session that has ended answers gone and writes nothing (R-26)",
    "nothing brings an ended session back (R-26, F-01)",
    "a session that is signed out or revoked during a slow request never comes back (F-01, R-26)",
    "through the manager: no request is served with a session whose end was acknowledged (F-01, F-08)",
  ),
  twin(
    "ignores the epoch",
    class extends InsteadOfCommit {
      override instead(id: string, commit: Commit): Commit {
        return { ...commit, epoch: this.held.get(id)?.record.state.epoch ?? 0 };
      }
    },
    "a commit with another epoch answers superseded and writes nothing (R-21, F-04)",
    "a request that was opened before a sign-in writes nothing into the signed-in session (F-04)",
    "through the manager: a planted token writes nothing after the sign-in, and gets no cookie (F-04)",
  ),
  twin(
    "ignores the hash of the secret that was presented",
    class extends InsteadOfCommit {
      override instead(_id: string, commit: Commit): Commit {
        return { ...commit, secretHash: undefined };
      }
    },
    "a commit that presents another secret answers superseded and writes nothing (R-23)",
  ),
  twin(
    "ignores the version",
    class extends InsteadOfCommit {
      override instead(_id: string, commit: Commit): Commit {
        return { ...commit, version: undefined };
      }
    },
    "compare-and-set: another version answers conflict with the record as it is, and writes nothing (R-27)",
    "increments add up and updates of one list all survive (F-03)",
  ),
  twin(
    "compares the version before the epoch",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const record = this.held.get(id)?.record;
        const differs = commit.version !== undefined && commit.version !== record?.state.version;
        if (record !== undefined && differs) return { status: "conflict", record };
        return super.commit(id, commit);
      }
    },
    "a caller with another epoch hears superseded, never the data of the session as it is now (F-04)",
  ),
  twin(
    "applies the same opId twice",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        super.write(held, commit, record);
        held.opIds = [];
      }
    },
    "the same opId again answers applied with the record as it now is, and applies nothing twice (F-17)",
    "a commit that is repeated because its answer was lost is made once (F-17)",
    "through the manager: lost answers and a moving clock change none of this (F-17, R-22)",
  ),
  twin(
    "looks at the epoch before the opId",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const held = this.liveOne(id);
        if (held !== undefined && held.record.state.epoch !== commit.epoch)
          return { status: "superseded" };
        return super.commit(id, commit);
      }
    },
    "a sign-in that is repeated with its opId is answered applied, though epoch and secret have moved (F-17)",
  ),
  twin(
    "remembers the opId of a commit that it refused",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const result = await super.commit(id, commit);
        this.held.get(id)?.opIds.unshift(commit.opId);
        return result;
      }
    },
    "an opId whose commit was refused does not pass for applied when it comes again (F-17)",
  ),
  twin(
    "remembers the opIds of all sessions together",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        super.write(held, commit, record);
        for (const other of this.held.values()) other.opIds = held.opIds;
      }

      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        const [any] = this.held.values();
        const result = await super.create(session, limits);
        const held = this.held.get(session.id);
        if (held !== undefined && any !== undefined) held.opIds = any.opIds;
        return result;
      }
    },
    "an opId counts for its own session only",
  ),
  twin(
    "writes the whole state back that it has read before",
    BlindSet,
    "64 commits of different keys at once all survive (F-02)",
    "64 increments at once add up (F-03)",
    "writes of different keys all survive, and of the same key the last one wins (F-02)",
    "through the manager: what a handler is told is stored is stored once, what is told lost is not there",
    "everything at once, with lost answers and a moving clock (F-09)",
  ),
  twin(
    "checks in one step and writes in the next",
    CheckThenWrite,
    "increments add up and updates of one list all survive (F-03)",
    "a session that is signed out or revoked during a slow request never comes back (F-01, R-26)",
    "a request that was opened before a sign-in writes nothing into the signed-in session (F-04)",
    "of secrets that change at the same time one is left, and no write is lost or comes too late (F-05)",
    "everything at once, with lost answers and a moving clock (F-09)",
  ),
];
