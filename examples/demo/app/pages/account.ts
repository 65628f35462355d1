import { type Answer, htmlAnswer, seeOther } from "../answer.ts";
import { layout } from "../layout.ts";
import { html } from "../markup.ts";
import { problem } from "../problem.ts";
import { USERS } from "../shop.ts";
import type { Visitor } from "../visitor.ts";

/** Whom to sign in as. */
export function signInPage({ session }: Visitor): Answer {
  const buttons = USERS.map(
    (user) => html`<li><button name="user" value="${user}">Sign in as ${user}</button></li>`,
  );
  const content = html`<p>This is a demo: it asks for no password. The user <strong>admin</strong> may see and end
everybody's sessions.</p>
<form method="post" action="/sign-in"><ul class="choices">${buttons}</ul></form>`;
  return htmlAnswer(layout("Sign in", session, content));
}

/** The session keeps its id and gets a new secret; of what an anonymous visitor gathered, the cart comes along. */
export async function signIn({ session, form }: Visitor): Promise<Answer> {
  const user = form.get("user") ?? "";
  if (!USERS.includes(user)) return problem(401, "There is no such user.", session);
  await session.signIn(user, session.userId === undefined ? { keep: ["cart"] } : {});
  return seeOther("/");
}

/** Ends the session, not only the cookie. */
export async function signOut({ session }: Visitor): Promise<Answer> {
  await session.signOut();
  return seeOther("/");
}
