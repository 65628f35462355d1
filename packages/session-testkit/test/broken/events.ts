import type {
  Commit,
  CommitResult,
  SessionRecord,
  StoreCapabilities,
  StoreEvent,
  StoreSettings,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenEvents: readonly BrokenTwin[] = [
  twin(
    "tells everything twice",
    class extends ReferenceStore {
      override tell(type: StoreEvent["type"], record: SessionRecord): void {
        super.tell(type, record);
        super.tell(type, record);
      }
    },
    "creation, sign-in, regeneration and end are heard of once each, with session, user, time and reason",
    "everything at once, with lost answers and a moving clock (F-09)",
  ),
  twin(
    "tells of a successor when it is offered",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        super.write(held, commit, record);
        if (commit.change?.kind === "offer") this.tell("regenerated", record);
      }
    },
    "a successor is heard of when it becomes the secret, not when it is offered",
  ),
  twin(
    "tells of sign-ins that it refuses",
    class extends ReferenceStore {
      override async commit(id: string, commit: Commit): Promise<CommitResult> {
        const held = this.held.get(id);
        const result = await super.commit(id, commit);
        const refused = commit.change?.kind === "sign-in" && result.status !== "applied";
        if (refused && held !== undefined) this.tell("signed-in", held.record);
        return result;
      }
    },
    "what writes nothing is not heard of",
  ),
  twin(
    "goes on telling those who have stopped to listen",
    class extends ReferenceStore {
      override subscribe(listener: (event: StoreEvent) => void): () => void {
        super.subscribe(listener);
        return () => undefined;
      }
    },
    "each listener hears everything until it stops, and the others go on",
  ),
  twin(
    "does not say what it can do",
    class extends ReferenceStore {
      override readonly capabilities: StoreCapabilities = Object.create(null);
    },
    "the store says what it can do",
  ),
  twin(
    "keeps the first settings",
    class extends ReferenceStore {
      override attach(settings: StoreSettings): void {
        this.settings ??= settings;
      }
    },
    "a second manager may attach: what the store holds stays, and the latest settings count",
  ),
  twin(
    "fails when it is closed twice",
    class extends ReferenceStore {
      isClosed = false;

      override async close(): Promise<void> {
        if (this.isClosed) throw new Error("The store is closed.");
        this.isClosed = true;
      }
    },
    "closing twice is closing once",
  ),
];
