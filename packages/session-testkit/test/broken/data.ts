import type { Commit, JsonValue, SessionRecord, SessionState } from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { AfterCommit } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

function withMetadata(state: SessionState, metadata: Record<string, JsonValue>): SessionState {
  return { ...state, metadata };
}

export const brokenData: readonly BrokenTwin[] = [
  twin(
    "loses what is null",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState): SessionState {
        const kept = Object.entries(after.metadata).filter(([, value]) => value !== null);
        return withMetadata(after, Object.assign(Object.create(null), Object.fromEntries(kept)));
      }
    },
    "every kind of JSON value comes back as it was given",
  ),
  twin(
    "answers data that can be changed",
    class extends ReferenceStore {
      override async find(id: string): Promise<SessionRecord | undefined> {
        const record = await super.find(id);
        if (record === undefined) return undefined;
        return { ...record, state: structuredClone(record.state) };
      }
    },
    "data is frozen to its depth wherever a record is answered",
  ),
  twin(
    "answers a record that later changes show in",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        const answered = held.record;
        super.write(held, commit, record);
        held.record = Object.assign(answered, held.record);
      }
    },
    "a state that was answered is a snapshot: what happens later does not show in it",
    "through the manager: a planted token writes nothing after the sign-in, and gets no cookie (F-04)",
  ),
  twin(
    "keeps data in an object with a prototype",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState): SessionState {
        return withMetadata(after, Object.freeze({ ...after.metadata }));
      }
    },
    "keys such as constructor, toString and 0 are plain data (R-71)",
  ),
  twin(
    "merges data by assignment",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState): SessionState {
        const metadata: Record<string, JsonValue> = {};
        for (const [key, value] of Object.entries(after.metadata)) metadata[key] = value;
        return withMetadata(after, metadata);
      }
    },
    "the key __proto__ is its own data or refused, and reaches no prototype (R-71)",
  ),
];
