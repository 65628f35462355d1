import type { Session } from "@kyb/session-core";
import { type Answer, htmlAnswer } from "./answer.ts";
import { layout } from "./layout.ts";
import { html } from "./markup.ts";

/** A page that says in one sentence why there is nothing else. */
export function problem(status: number, sentence: string, session: Session): Answer {
  return htmlAnswer(layout(`Error ${status}`, session, html`<p>${sentence}</p>`), status);
}
