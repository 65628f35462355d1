import type { Session } from "@kyb/session-core";
import { type Answer, htmlAnswer } from "../answer.ts";
import { layout } from "../layout.ts";
import { html, type Markup } from "../markup.ts";
import { client, time, timelineTable } from "../tables.ts";
import type { Visitor } from "../visitor.ts";

/** What the visitor's own session knows. */
export async function home({ session, sessions }: Visitor): Promise<Answer> {
  if (session.state !== "ok") return htmlAnswer(layout("Your session", session, noSession()));
  const timeline = await sessions.activity(session.id, { limit: 10 });
  const content = html`${facts(session)}
<h2>What you did lately</h2>
${timelineTable(timeline.items)}
<p>For something to see here: <a href="/slow">a slow page</a>, <a href="/fail">a failing page</a>,
<a href="/cart">the cart</a>.</p>`;
  return htmlAnswer(layout("Your session", session, content));
}

function facts(session: Session): Markup {
  return html`<dl>
<dt>Id</dt><dd><code>${session.id}</code></dd>
<dt>User</dt><dd>${session.userId ?? "not signed in"}</dd>
<dt>Since</dt><dd>${time(session.createdAt)}</dd>
<dt>From</dt><dd>${session.ipAddress}, ${client(session)}</dd>
<dt>Requests before this one</dt><dd>${session.requestCount}</dd>
<dt>Ends without another visit</dt><dd>${time(session.expiresAt)}</dd>
</dl>`;
}

function noSession(): Markup {
  return html`<p>You have no session at the moment. Yours was ended a moment ago, or you came from another site, or
there is no room for more.</p>
<p><a href="/sign-in">Sign in</a> to get a new one, or come back in a minute.</p>`;
}
