import { setTimeout } from "node:timers/promises";
import { type Answer, htmlAnswer } from "../answer.ts";
import { layout } from "../layout.ts";
import { html } from "../markup.ts";
import type { Visitor } from "../visitor.ts";

const SLOWNESS = 1000;

/** A page that takes its time, which the timeline shows. */
export async function slow({ session }: Visitor): Promise<Answer> {
  session.annotate({ reason: "slow on purpose" });
  await setTimeout(SLOWNESS);
  const content = html`<p>This took a second. <a href="/">See it in your timeline.</a></p>`;
  return htmlAnswer(layout("A slow page", session, content));
}

/** A page that fails, which the timeline shows too; the host's own error handler answers. */
export function failing(): never {
  throw new Error("This page fails on purpose.");
}
