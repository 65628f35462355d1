import type {
  EndOptions,
  EndReason,
  EndResult,
  EndUserResult,
  SessionRecord,
  StoreCall,
} from "@kyb/session-core/store";
import type { Durability } from "./durability.ts";
import { recordIn, whyUnreadable } from "./record-fields.ts";
import { textsOf } from "./reply.ts";
import type { ScriptRunner } from "./script-runner.ts";
import type { Shards } from "./shards.ts";
import type { Spread } from "./spread.ts";
import { decodeText, encodePart, encodeText } from "./text-code.ts";

/** Marked sessions that one step files, about two milliseconds of Redis. */
const SETTLE_STEP = 200;

/** How sessions end: one, one that is due, or all of a user's. */
export class SessionEnds {
  readonly #shards: Shards;
  readonly #runner: ScriptRunner;
  readonly #durability: Durability;
  readonly #spread: Spread | undefined;

  /** `spread`: where sessions are spread over several shards. */
  constructor(
    shards: Shards,
    runner: ScriptRunner,
    durability: Durability,
    spread: Spread | undefined,
  ) {
    this.#shards = shards;
    this.#runner = runner;
    this.#durability = durability;
    this.#spread = spread;
  }

  async one(
    id: string,
    reason: EndReason,
    { epoch }: EndOptions,
    call: StoreCall,
  ): Promise<EndResult> {
    const shard = this.#shards.ofSession(id);
    const args = [encodeText(id), reason, epoch ?? "-"];
    const { status } = await this.#runner.run("end", this.#shards.base(shard), args, { call });
    if (status !== "superseded") await this.#spread?.index.follow([shard]);
    if (status === "ended") {
      return { status, durable: await this.#durability.confirm([id], reason) };
    }
    return { status: status === "superseded" ? status : "gone" };
  }

  /** Answers the session if it is not due after all. */
  async ifDue(id: string, call: StoreCall): Promise<SessionRecord | undefined> {
    const shard = this.#shards.ofSession(id);
    const base = this.#shards.base(shard);
    const args = [encodeText(id)];
    const { status, values } = await this.#runner.run("endIfDue", base, args, { call });
    if (status === "gone") await this.#spread?.index.follow([shard]);
    if (status === "unreadable") throw whyUnreadable(id, values[0]);
    return status === "live" ? recordIn(id, values[0]) : undefined;
  }

  async ofUser(
    userId: string,
    reason: EndReason,
    { except }: { readonly except?: string | undefined },
    call: StoreCall,
  ): Promise<EndUserResult> {
    const exceptId = except === undefined ? "-" : encodeText(except);
    const ended =
      this.#spread === undefined
        ? await this.#together(userId, reason, exceptId, call)
        : await this.#apart(this.#spread, userId, reason, exceptId, call);
    return { ended, durable: await this.#durability.confirm(ended, reason) };
  }

  /** All in one shard: one step marks them, further ones file them. */
  async #together(
    userId: string,
    reason: EndReason,
    except: string,
    call: StoreCall,
  ): Promise<string[]> {
    const base = this.#shards.base(0);
    const args = [encodePart(userId), except, reason, -1];
    const { status, values } = await this.#runner.run("endUser", base, args, { call });
    for (let state = status; state === "settling" || state === "more"; ) {
      state = (await this.#runner.run("settle", base, [SETTLE_STEP], { call })).status;
    }
    return textsOf(values[0]).map(decodeText);
  }

  /** Lists of the user that are read meanwhile are read again. */
  async #apart(
    { index, writes }: Spread,
    userId: string,
    reason: EndReason,
    except: string,
    call: StoreCall,
  ): Promise<string[]> {
    const { ids } = await index.members(userId, "begin", call);
    const ended = await writes.endMembers(userId, ids, reason, except, call);
    await index.members(userId, "end", call);
    return ended;
  }
}
