import type { ImportedSession, ImportStatus, SessionRecord } from "@kyb/session-core/store";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

/** A store that takes in another session than it was given. */
class InsteadOfImport extends ReferenceStore {
  instead(session: ImportedSession): ImportedSession {
    return session;
  }

  override take(session: ImportedSession): ImportStatus {
    return super.take(this.instead(session));
  }
}

export const brokenImports: readonly BrokenTwin[] = [
  twin(
    "stamps what comes from elsewhere anew",
    class extends InsteadOfImport {
      override instead({ record, entries }: ImportedSession): ImportedSession {
        const now = this.now();
        const state = { ...record.state, createdAt: now };
        return {
          record: { ...record, state, lastAccessTime: now, lastActivityTime: now },
          entries,
        };
      }
    },
    "an imported session is here as it was elsewhere, to the last field",
    "an imported session stands in every order at its own times, beside those that were made here",
    "an imported session falls due by its own times",
  ),
  twin(
    "forgets the secrets that a session had elsewhere",
    class extends InsteadOfImport {
      override instead({ record, entries }: ImportedSession): ImportedSession {
        const state = { ...record.state, retired: [], pending: undefined, epoch: 2 };
        return { record: { ...record, state }, entries };
      }
    },
    "an imported session is here as it was elsewhere, to the last field",
    "an imported session goes on as the same one: its epoch, its secrets and its successor count",
  ),
  twin(
    "takes in a session over the one that it has",
    class extends ReferenceStore {
      override take(session: ImportedSession): ImportStatus {
        this.held.delete(session.record.state.id);
        return super.take(session);
      }
    },
    "what exists is left as it is: live, ended, and twice in one batch",
  ),
  twin(
    "takes in a session again that ended here",
    class extends ReferenceStore {
      override take(session: ImportedSession): ImportStatus {
        const { id } = session.record.state;
        if (this.held.get(id)?.record.endedAt !== undefined) this.held.delete(id);
        return super.take(session);
      }
    },
    "what exists is left as it is: live, ended, and twice in one batch",
  ),
  twin(
    "takes in what is over",
    class extends ReferenceStore {
      override take(session: ImportedSession): ImportStatus {
        this.held.set(session.record.state.id, { record: session.record, entries: [], opIds: [] });
        return "imported";
      }
    },
    "a session that has ended elsewhere or is due here is gone, and nothing is written",
  ),
  twin(
    "keeps the timeline the wrong way round",
    class extends InsteadOfImport {
      override instead({ record, entries }: ImportedSession): ImportedSession {
        return { record, entries: [...entries].reverse() };
      }
    },
    "the timeline comes along, the newest activityLimit entries of it, and goes on",
  ),
  twin(
    "announces as created what comes from elsewhere, and counts it as made in this hour",
    class extends ReferenceStore {
      override take(session: ImportedSession): ImportStatus {
        const status = super.take(session);
        if (status === "imported") {
          this.counted.imported -= 1;
          this.counted.created.push(this.now());
          this.tell("created", session.record);
        }
        return status;
      }
    },
    "importing looks at no limit, raises no event, and counts sessions but no requests",
  ),
  twin(
    "does not know the user of what comes from elsewhere",
    class extends ReferenceStore {
      readonly #imported = new Set<string>();

      override take(session: ImportedSession): ImportStatus {
        this.#imported.add(session.record.state.id);
        return super.take(session);
      }

      override async endUser(
        userId: string,
        reason: Parameters<ReferenceStore["endUser"]>[1],
        options: { except?: string | undefined },
      ): Promise<{ ended: string[]; durable: boolean }> {
        const known = (record: SessionRecord): boolean => !this.#imported.has(record.state.id);
        const ended: string[] = [];
        for (const { record } of this.live()) {
          const { id } = record.state;
          if (record.state.userId !== userId || id === options.except || !known(record)) continue;
          await this.end(id, reason, {});
          ended.push(id);
        }
        return { ended, durable: true };
      }
    },
    "an imported session is its user's: revoking the user ends it",
  ),
  twin(
    "keeps what it has, although it has changed elsewhere",
    class extends ReferenceStore {
      override isBehind(): boolean {
        return false;
      }
    },
    "what has changed elsewhere since takes the place of what was imported, wholly and in every index",
  ),
  twin(
    "takes in what has changed elsewhere over what has changed here",
    class extends ReferenceStore {
      override isBehind({ state }: SessionRecord): boolean {
        return this.liveOne(state.id) !== undefined;
      }
    },
    "what has changed here as well, has ended, or is signed in further is not replaced",
  ),
  twin(
    "replaces a session that has ended here",
    class extends ReferenceStore {
      override isBehind({ state }: SessionRecord, over: number | undefined): boolean {
        return this.held.get(state.id)?.record.state.version === over;
      }
    },
    "what has changed here as well, has ended, or is signed in further is not replaced",
  ),
];
