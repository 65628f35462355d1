import type {
  CreateLimits,
  CreateResult,
  EndReason,
  EndResult,
  NewSession,
  SessionRecord,
} from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenEnds: readonly BrokenTwin[] = [
  twin(
    "forgets a session when it ends",
    class extends ReferenceStore {
      override finish(held: Held, reason: EndReason): void {
        super.finish(held, reason);
        this.held.delete(held.record.state.id);
      }
    },
    "an ended session stays readable with its data, its secret's hash, and when and why it ended",
    "an ended session's timeline is readable while the session is, then unknown",
  ),
  twin(
    "ends an ended session again",
    class extends ReferenceStore {
      override async end(id: string, reason: EndReason): Promise<EndResult> {
        const held = this.held.get(id);
        if (held === undefined) return { status: "gone" };
        this.finish(held, reason);
        return { status: "ended", durable: true };
      }
    },
    "the second end answers gone, and the first one's reason and time stay",
    "an end that names an epoch ends only the session that still has it",
  ),
  twin(
    "looks whether a session is live, waits, and ends it",
    class extends ReferenceStore {
      override async end(id: string, reason: EndReason): Promise<EndResult> {
        const held = this.liveOne(id);
        await this.gap();
        if (held === undefined) return { status: "gone" };
        this.finish(held, reason);
        return { status: "ended", durable: true };
      }
    },
    "a session is ended once and heard of once, however many end it at the same time",
    "a session that is signed out or revoked during a slow request never comes back (F-01, R-26)",
  ),
  twin(
    "ends whatever session it is asked to end if due",
    class extends ReferenceStore {
      override async endIfDue(id: string): Promise<SessionRecord | undefined> {
        const held = this.held.get(id);
        if (held !== undefined) this.finish(held, "idle");
        return undefined;
      }
    },
    "endIfDue leaves live, ended and unknown sessions as they are",
    "endIfDue answers a session that was touched meanwhile: it is live",
    "a session that ends for its age is heard of once, whoever finds it first",
  ),
  twin(
    "ends the excepted session with the others",
    class extends ReferenceStore {
      override endUser(userId: string, reason: EndReason): ReturnType<ReferenceStore["endUser"]> {
        return super.endUser(userId, reason, {});
      }
    },
    "endUser ends all sessions of the user but the excepted one, and nobody else's (R-29)",
  ),
  twin(
    "knows the sessions of a user from their creation only",
    class extends ReferenceStore {
      readonly owners: Map<string, string | undefined> = new Map();

      override async create(session: NewSession, limits: CreateLimits): Promise<CreateResult> {
        this.owners.set(session.id, session.userId);
        return super.create(session, limits);
      }

      override async endUser(
        userId: string,
        reason: EndReason,
        { except }: { except?: string | undefined },
      ): Promise<{ ended: string[]; durable: boolean }> {
        const mine = this.live().filter(({ record: { state } }) => {
          return this.owners.get(state.id) === userId && state.id !== except;
        });
        for (const held of mine) this.finish(held, reason);
        return { ended: mine.map((held) => held.record.state.id), durable: true };
      }
    },
    "endUser reaches a session whose user signed in later, and not one that has gone over to another user (F-08)",
    "revoking a user ends every session that was there, at one instant, and none that comes later (F-08)",
  ),
  twin(
    "ends the sessions of a user one after the other, and fifty at most",
    class extends ReferenceStore {
      override async endUser(
        userId: string,
        reason: EndReason,
        { except }: { except?: string | undefined },
      ): Promise<{ ended: string[]; durable: boolean }> {
        const ended: string[] = [];
        for (const held of this.live().slice(0, 50)) {
          const { id, userId: owner } = held.record.state;
          if (owner !== userId || id === except || held.record.endedAt !== undefined) continue;
          this.finish(held, reason);
          ended.push(id);
          await this.gap();
        }
        return { ended, durable: true };
      }
    },
    "endUser ends a hundred sessions at once, each heard of once",
    "revoking a user ends every session that was there, at one instant, and none that comes later (F-08)",
  ),
];
