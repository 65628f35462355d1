import type { Session } from "@kyb/session-core";
import { type Fragment, html, type Markup } from "./markup.ts";
import { ADMINISTRATOR } from "./shop.ts";

/** A whole document: navigation for this visitor, and a page's content. */
export function layout(title: string, session: Session, content: Fragment): Markup {
  const { userId } = session;
  return bareLayout(
    title,
    content,
    html`<header>
<nav aria-label="Pages"><ul>
<li><a href="/">Home</a></li>
<li><a href="/cart">Cart (${cartSize(session)})</a></li>
<li><a href="/devices">Your devices</a></li>
${userId === ADMINISTRATOR && html`<li><a href="/admin">All sessions</a></li>`}
</ul></nav>
${userId === undefined ? html`<a href="/sign-in">Sign in</a>` : signOutForm(userId)}
</header>`,
  );
}

/** The same where no session may be known. */
export function bareLayout(title: string, content: Fragment, header?: Markup): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Session demo</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
</head>
<body>
${header}
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

/** A button that posts to `action` with some hidden fields; forms are how a page without scripts acts. */
export function actionButton(
  action: string,
  label: string,
  fields: Readonly<Record<string, string>> = {},
  hint?: string,
): Markup {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="${action}">${inputs}<button>${label}${
    hint !== undefined && html`<span class="hint"> ${hint}</span>`
  }</button></form>`;
}

function cartSize(session: Session): number {
  return Object.values(session.get("cart") ?? {}).reduce((sum, count) => sum + count, 0);
}

function signOutForm(userId: string): Markup {
  return html`<p>Signed in as <strong>${userId}</strong></p>${actionButton("/sign-out", "Sign out")}`;
}
