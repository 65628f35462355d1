import type {
  Commit,
  CommitResult,
  CreateLimits,
  CreateResult,
  NewSession,
  SessionRecord,
  SessionState,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenCreates: readonly BrokenTwin[] = [
  twin(
    "rounds the times that it stamps",
    class extends ReferenceStore {
      override now(): number {
        return Math.floor(super.now() / 1000) * 1000;
      }
    },
    "create answers the session with the times of the store's clock, and find shows the same",
  ),
  twin(
    "takes a session that is made for a user for an anonymous one",
    class extends ReferenceStore {
      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        const result = await super.create(session, limits);
        if (result.status !== "created") return result;
        const held = this.held.get(session.id);
        const record = {
          ...result.record,
          state: { ...result.record.state, authenticatedAt: undefined },
        };
        if (held !== undefined) held.record = record;
        return { status: "created", record };
      }
    },
    "a session that is made for a user is signed in from the start",
  ),
  twin(
    "takes a create that is repeated for another one",
    class extends ReferenceStore {
      override isRepeated(): boolean {
        return false;
      }
    },
    "the same create again, as a driver repeats it after a reconnect, answers what it made and makes nothing (F-17)",
  ),
  twin(
    "answers a create that is repeated with whatever has the id",
    class extends ReferenceStore {
      override isRepeated(): boolean {
        return true;
      }
    },
    "an id that exists is refused, also when its session has ended, and nothing is overwritten (R-05)",
  ),
  twin(
    "makes a session again when its create is repeated",
    class extends ReferenceStore {
      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        if (this.held.get(session.id)?.record.state.version === 0) this.held.delete(session.id);
        return super.create(session, limits);
      }
    },
    "the same create again, as a driver repeats it after a reconnect, answers what it made and makes nothing (F-17)",
  ),
  twin(
    "drops the data that a session is made with",
    class extends ReferenceStore {
      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        return super.create(
          { ...session, metadata: Object.create(null), metadataBytes: 0 },
          limits,
        );
      }
    },
    "a session that is made with data holds it",
    "a sign-in with keep: true keeps all data",
  ),
  twin(
    "makes a session when something is committed to one that is not there",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const known = this.held.get(id);
        if (known !== undefined) return super.commit(id, commit);
        const [template] = this.held.values();
        const state = { ...(template?.record.state as SessionState), id, metadata: {} };
        const record = { ...(template?.record as SessionRecord), state };
        this.held.set(id, { record, entries: [], opIds: [] });
        return { status: "applied", record };
      }
    },
    "what was never made is absent everywhere, and is not an error",
  ),
  twin(
    "overwrites a session that has the id of a new one",
    class extends ReferenceStore {
      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        this.held.delete(session.id);
        return super.create(session, limits);
      }
    },
    "an id that exists is refused, also when its session has ended, and nothing is overwritten (R-05)",
  ),
  twin(
    "writes the data of one session into all of them",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        super.write(held, commit, record);
        const { metadata } = record.state;
        for (const other of this.held.values()) {
          other.record = { ...other.record, state: { ...other.record.state, metadata } };
        }
      }
    },
    "one session's changes do not show in another",
  ),
];
