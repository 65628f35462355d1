import type { Commit, SessionRecord, SessionState } from "@kyb/session-core/store";
import type { Held } from "../reference-held.ts";
import { ReferenceStore } from "../reference-store.ts";
import { AfterCommit, InsteadOfCommit } from "./instead.ts";
import { type BrokenTwin, twin } from "./twin.ts";

export const brokenSecrets: readonly BrokenTwin[] = [
  twin(
    "does not remember the secrets that it replaces",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState): SessionState {
        return { ...after, retired: [] };
      }
    },
    "a sign-in gives secret, user and epoch, remembers the old secret and starts both timeouts again (R-21, R-22)",
    "the four latest replaced secrets are remembered, newest first",
  ),
  twin(
    "lets the idle timeout run on at a sign-in",
    class extends ReferenceStore {
      override write(held: Held, commit: Commit, record: SessionRecord): void {
        const { lastActivityTime } = held.record;
        super.write(held, commit, record);
        held.record = { ...held.record, lastActivityTime };
      }
    },
    "after a sign-in the idle timeout runs from the sign-in (R-22)",
  ),
  twin(
    "keeps all data at a sign-in",
    class extends InsteadOfCommit {
      override instead(_id: string, commit: Commit): Commit {
        if (commit.change?.kind !== "sign-in") return commit;
        return { ...commit, change: { ...commit.change, keep: true } };
      }
    },
    "a sign-in keeps no data but the named keys, and its own changes come after (R-21, R-39)",
  ),
  twin(
    "keeps the epoch at a regeneration",
    class extends AfterCommit {
      override after(before: SessionState, after: SessionState, commit: Commit): SessionState {
        return commit.change?.kind === "regenerate" ? { ...after, epoch: before.epoch } : after;
      }
    },
    "regenerate changes secret and epoch, remembers the old secret and keeps everything else",
    "of secrets that change at the same time one is left, and no write is lost or comes too late (F-05)",
  ),
  twin(
    "lets a second offer replace the first",
    class extends AfterCommit {
      override after(_before: SessionState, after: SessionState, { change }: Commit): SessionState {
        if (change?.kind !== "offer") return after;
        const { secretHash: hash, nonce } = change;
        return { ...after, pending: { hash, nonce, at: this.now() } };
      }
    },
    "an offered successor waits beside the secret, and a second offer leaves the first one standing (R-23)",
    "through the manager: regeneration by time makes one successor and costs no request its session (F-05)",
  ),
  twin(
    "promotes a successor for whatever secret is presented",
    class extends InsteadOfCommit {
      override instead(_id: string, commit: Commit): Commit {
        return commit.change?.kind === "promote" ? { ...commit, secretHash: undefined } : commit;
      }
    },
    "a promotion needs the successor, and makes it the secret without touching the epoch (R-23, F-05)",
  ),
  twin(
    "leaves a waiting successor standing at a sign-in",
    class extends AfterCommit {
      override after(before: SessionState, after: SessionState, commit: Commit): SessionState {
        return commit.change?.kind === "sign-in" ? { ...after, pending: before.pending } : after;
      }
    },
    "a sign-in takes a waiting successor and the grace of rotated secrets with it (R-23)",
  ),
];
