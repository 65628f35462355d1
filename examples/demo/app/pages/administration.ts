import type { SessionMetrics, SessionQuery } from "@kyb/session-core";
import { type Answer, htmlAnswer, seeOther } from "../answer.ts";
import { actionButton, layout } from "../layout.ts";
import { html, type Markup } from "../markup.ts";
import { problem } from "../problem.ts";
import { ADMINISTRATOR } from "../shop.ts";
import { client, sessionTable, timelineTable } from "../tables.ts";
import type { Visitor } from "../visitor.ts";

const MOST_SHOWN = 100;

/** Everybody's sessions, for the administrator. */
export async function administration(visitor: Visitor): Promise<Answer> {
  const { session, sessions, query } = visitor;
  if (!isPermitted(visitor)) return refusal(visitor);
  const search = query.get("q")?.trim().slice(0, 256) ?? "";
  const status = query.get("status") === "all" ? "all" : "active";
  const wanted: SessionQuery = { status, sort: "-lastAccessTime", limit: MOST_SHOWN };
  const page = await sessions.list(search === "" ? wanted : { ...wanted, search });
  const table = sessionTable(`Sessions seen last (${MOST_SHOWN} at most)`, page.items, (item) => [
    html`<a href="/admin/timeline?id=${item.id}">Timeline<span class="hint"> of ${item.id}</span></a>`,
    item.isActive && actionButton("/admin/end", "End", { id: item.id }, `the session ${item.id}`),
  ]);
  const content = [numbers(await sessions.metrics()), searchForm(search, status), table];
  return htmlAnswer(layout("All sessions", session, content));
}

/** Ends any session. */
export async function endSession(visitor: Visitor): Promise<Answer> {
  if (!isPermitted(visitor)) return refusal(visitor);
  const id = visitor.form.get("id") ?? "";
  const { ended } = id === "" ? { ended: 0 } : await visitor.sessions.revoke(id);
  return ended > 0
    ? seeOther("/admin")
    : problem(404, "There is no such live session.", visitor.session);
}

/** What one session did. */
export async function timelineOf(visitor: Visitor): Promise<Answer> {
  if (!isPermitted(visitor)) return refusal(visitor);
  const { session, sessions } = visitor;
  const id = visitor.query.get("id") ?? "";
  const shown = id === "" ? undefined : await sessions.get(id);
  if (shown === undefined) return problem(404, "There is no such session.", session);
  const { items } = await sessions.activity(id, { limit: MOST_SHOWN });
  const content = html`<p>Session <code>${id}</code> of ${shown.userId ?? "nobody"}, ${client(shown)}</p>
${timelineTable(items)}`;
  return htmlAnswer(layout("Timeline", session, content));
}

function isPermitted({ session }: Visitor): boolean {
  return session.userId === ADMINISTRATOR;
}

function refusal({ session }: Visitor): Answer {
  return problem(403, `Only the user ${ADMINISTRATOR} may do this.`, session);
}

function numbers(metrics: SessionMetrics): Markup {
  return html`<dl>
<dt>Live sessions</dt><dd>${metrics.activeSessions}</dd>
<dt>Sessions ever</dt><dd>${metrics.totalSessions}</dd>
<dt>Requests ever</dt><dd>${metrics.totalRequests}</dd>
<dt>Requests in the last minute</dt><dd>${metrics.requestsPerMinute}</dd>
</dl>`;
}

function searchForm(search: string, status: "active" | "all"): Markup {
  return html`<form method="get" action="/admin" class="search">
<label for="q">Id, address or beginning of a user id</label>
<input id="q" name="q" value="${search}" maxlength="256">
<label><input type="checkbox" name="status" value="all"${status === "all" && html` checked`}> with ended ones</label>
<button>Search</button>
</form>`;
}
