import type { ActivityEntry, UserSession } from "@kyb/session-core";
import { describeClient } from "@kyb/session-core/client";
import { type Fragment, html, type Markup } from "./markup.ts";

/** A point in time, as people and as programs read it. */
export function time(milliseconds: number): Markup {
  const iso = new Date(milliseconds).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")} UTC</time>`;
}

/** The browser and system, as they call themselves. */
export function client(session: UserSession): string {
  return describeClient(session.userAgent).label;
}

/** Lines of a timeline, newest first. */
export function timelineTable(entries: readonly ActivityEntry[]): Markup {
  if (entries.length === 0) return html`<p>Nothing yet.</p>`;
  const rows = entries.map((entry) => {
    const isRequest = entry.action === "request";
    return html`<tr><td>${time(entry.timestamp)}</td>
<td>${isRequest ? entry.method : entry.action}</td><td>${entry.endpoint}</td>
<td>${isRequest && entry.statusCode}</td><td class="number">${isRequest && Math.round(entry.duration)}</td>
<td class="number">${isRequest && entry.responseSize}</td>
<td>${entry.metadata !== undefined && JSON.stringify(entry.metadata)}</td></tr>`;
  });
  return table(
    "Timeline",
    ["Time", "What", "Path", "Status", "Milliseconds", "Bytes", "More"],
    rows,
  );
}

/** Sessions with a cell of buttons each. */
export function sessionTable(
  caption: string,
  sessions: readonly UserSession[],
  actions: (session: UserSession) => Fragment,
): Markup {
  const rows = sessions.map(
    (session) => html`<tr><td>${session.userId ?? "nobody"}</td><td>${client(session)}</td>
<td>${session.ipAddress}</td><td>${time(session.createdAt)}</td><td>${time(session.lastAccessTime)}</td>
<td class="number">${session.requestCount}</td><td>${session.endReason ?? "live"}</td>
<td>${actions(session)}</td></tr>`,
  );
  const columns = [
    "User",
    "Client",
    "Address",
    "Since",
    "Last seen",
    "Requests",
    "State",
    "Actions",
  ];
  return table(caption, columns, rows);
}

/** Wide tables scroll by themselves, so that the page fits on a phone; the keyboard can scroll them too. */
function table(caption: string, columns: readonly string[], rows: readonly Markup[]): Markup {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
