import type {
  ActivityPage,
  ActivityQuery,
  Commit,
  CreateLimits,
  CreateResult,
  EndReason,
  NewSession,
  SessionRecord,
  StorePage,
  StoreQuery,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { InsteadOfPage } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

/** Pages by position: what comes or goes before it moves everything. */
class OffsetCursor extends ReferenceStore {
  override async list(query: StoreQuery): Promise<StorePage> {
    const offset = query.cursor === undefined ? query.offset : Number(query.cursor);
    const page = await super.list({ ...query, cursor: undefined, offset });
    const next = page.nextCursor === undefined ? undefined : String(offset + query.limit);
    return { ...page, nextCursor: next };
  }

  override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
    const offset = query.cursor === undefined ? query.offset : Number(query.cursor);
    const page = await super.activity(id, { ...query, cursor: undefined, offset });
    const next = page?.nextCursor === undefined ? undefined : String(offset + query.limit);
    return page && { ...page, nextCursor: next };
  }
}

export const brokenListings: readonly BrokenTwin[] = [
  twin(
    "answers find from a copy that it took before",
    class extends ReferenceStore {
      readonly copies: Map<string, SessionRecord> = new Map();

      override async find(id: string): Promise<SessionRecord | undefined> {
        const known = this.copies.get(id) ?? (await super.find(id));
        if (known !== undefined) this.copies.set(id, known);
        return known;
      }
    },
    "through the manager: no request is served with a session whose end was acknowledged (F-01, F-08)",
    "what is listed is what find answers",
  ),
  twin(
    "takes the length of a page for the total",
    class extends InsteadOfPage {
      override page(page: StorePage): StorePage {
        return { ...page, total: page.records.length };
      }
    },
    "status and user filter the sessions, and the total is exact for both",
    "search finds an exact id, an exact address or the beginning of a user id, and gives no total",
  ),
  twin(
    "always gives a cursor",
    class extends InsteadOfPage {
      override page(page: StorePage): StorePage {
        return { ...page, nextCursor: page.nextCursor ?? `1_${"x".repeat(22)}` };
      }
    },
    "an empty store lists nothing, and counts nothing",
    "the last page has no cursor, also when it is full",
    "offset skips that many, and beyond the end there is nothing",
  ),
  twin(
    "lists records as they were when they were made",
    class extends ReferenceStore {
      readonly made: Map<string, SessionRecord> = new Map();

      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        const result = await super.create(session, limits);
        if (result.status === "created") this.made.set(session.id, result.record);
        return result;
      }

      override async list(query: StoreQuery): Promise<StorePage> {
        const page = await super.list(query);
        return { ...page, records: page.records.map((now) => this.made.get(now.state.id) ?? now) };
      }
    },
    "what is listed is what find answers",
  ),
  twin(
    "lists a session under every user that it ever had",
    class extends ReferenceStore {
      readonly owners: Map<string, string[]> = new Map();

      override write(held: Held, commit: Commit, record: SessionRecord): void {
        const { id, userId } = record.state;
        if (userId !== undefined) this.owners.set(id, [...(this.owners.get(id) ?? []), userId]);
        super.write(held, commit, record);
      }

      override async list(query: StoreQuery): Promise<StorePage> {
        const { userId } = query;
        const all = await super.list({ ...query, userId: undefined });
        if (userId === undefined) return all;
        const records = all.records.filter(
          ({ state }) => state.userId === userId || this.owners.get(state.id)?.includes(userId),
        );
        return { ...all, records, total: records.length };
      }
    },
    "a session is listed under the user that it has now",
  ),
  twin(
    "takes user ids for patterns",
    class extends ReferenceStore {
      override async endUser(
        userId: string,
        reason: EndReason,
        options: { except?: string | undefined },
      ): Promise<{ ended: string[]; durable: boolean }> {
        const prefix = userId.endsWith("*") ? userId.slice(0, -1) : undefined;
        if (prefix === undefined) return super.endUser(userId, reason, options);
        const users = new Set(this.live().flatMap(({ record }) => record.state.userId ?? []));
        const ended: string[] = [];
        for (const user of users) {
          if (user.startsWith(prefix))
            ended.push(...(await super.endUser(user, reason, options)).ended);
        }
        return { ended, durable: true };
      }
    },
    "user ids are opaque: what they contain never mixes users up (R-61)",
  ),
  twin(
    "searches anywhere in a user id",
    class extends ReferenceStore {
      override async list(query: StoreQuery): Promise<StorePage> {
        const { search } = query;
        if (search === undefined) return super.list(query);
        const all = await super.list({ ...query, search: undefined });
        const records = all.records.filter(({ state }) => state.userId?.includes(search) === true);
        return { ...all, records, total: undefined };
      }
    },
    "search finds an exact id, an exact address or the beginning of a user id, and gives no total",
  ),
  twin(
    "lists in one direction only",
    class extends ReferenceStore {
      override async list(query: StoreQuery): Promise<StorePage> {
        return super.list({ ...query, direction: "descending" });
      }
    },
    "sessions come in the order of their creation or last access, either way",
  ),
  twin(
    "goes on after the time of the last record, and forgets its id",
    class extends ReferenceStore {
      override async list(query: StoreQuery): Promise<StorePage> {
        const [time] = query.cursor?.split("_") ?? [];
        const last = query.direction === "ascending" ? "z" : "-";
        const cursor = time === undefined ? undefined : `${time}_${last.repeat(32)}`;
        return super.list({ ...query, cursor });
      }
    },
    "sessions of the same millisecond are neither repeated nor missed between pages",
  ),
  twin(
    "pages by position",
    OffsetCursor,
    "by creation, pages repeat and miss nothing while sessions come and go between them (R-60)",
    "pages go on where the last one ended, though new entries came meanwhile",
    "a cursor whose entries have given way meanwhile ends the pages without an error (R-46)",
  ),
  twin(
    "ignores the offset",
    class extends ReferenceStore {
      override async list(query: StoreQuery): Promise<StorePage> {
        return super.list({ ...query, offset: 0 });
      }

      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        return super.activity(id, { ...query, offset: 0 });
      }
    },
    "offset skips that many, and beyond the end there is nothing",
    "offset skips that many of the newest, and the total does not change",
  ),
  twin(
    "begins anew for a cursor that it does not know",
    class extends ReferenceStore {
      override async list(query: StoreQuery): Promise<StorePage> {
        const known = query.cursor === undefined || /^\d+_/.test(query.cursor);
        return super.list(known ? query : { ...query, cursor: undefined });
      }

      override async activity(id: string, query: ActivityQuery): Promise<ActivityPage | undefined> {
        const known = query.cursor === undefined || /^\d+$/.test(query.cursor);
        return super.activity(id, known ? query : { ...query, cursor: undefined });
      }
    },
    "a cursor that the store did not give is refused (R-60)",
    "an activity cursor that the store did not give is refused (R-60)",
  ),
];
