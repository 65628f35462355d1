import { isSessionError, type SessionManager } from "@kyb/session-core";
import { type Answer, htmlAnswer, withSecurityHeaders } from "./answer.ts";
import { asset } from "./assets.ts";
import { isForeign } from "./foreign-request.ts";
import { readForm } from "./form.ts";
import { bareLayout } from "./layout.ts";
import { html } from "./markup.ts";
import { signIn, signInPage, signOut } from "./pages/account.ts";
import { administration, endSession, timelineOf } from "./pages/administration.ts";
import { cart, changeCart } from "./pages/cart.ts";
import { devices, endDevice, endOtherDevices } from "./pages/devices.ts";
import { home } from "./pages/home.ts";
import { failing, slow } from "./pages/trouble.ts";
import { problem } from "./problem.ts";
import { type DemoRequest, parseUrl, type Visitor } from "./visitor.ts";

type Page = (visitor: Visitor) => Answer | Promise<Answer>;

const PAGES: ReadonlyMap<string, { readonly GET?: Page; readonly POST?: Page }> = new Map([
  ["/", { GET: home }],
  ["/sign-in", { GET: signInPage, POST: signIn }],
  ["/sign-out", { POST: signOut }],
  ["/cart", { GET: cart, POST: changeCart }],
  ["/devices", { GET: devices }],
  ["/devices/end", { POST: endDevice }],
  ["/devices/end-others", { POST: endOtherDevices }],
  ["/slow", { GET: slow }],
  ["/fail", { GET: failing }],
  ["/admin", { GET: administration }],
  ["/admin/end", { POST: endSession }],
  ["/admin/timeline", { GET: timelineOf }],
]);

/** The whole application: finds the page and lets it answer. What a page throws is left to the host. */
export async function respond(request: DemoRequest, sessions: SessionManager): Promise<Answer> {
  return withSecurityHeaders(await answer(request, sessions));
}

/** What a host's error handler answers. Details stay on the server. */
export function failure(error: unknown): Answer {
  const known = isSessionError(error) ? error : undefined;
  const status = known?.status ?? 500;
  if (status >= 500) console.error(error);
  const sentence = known?.expose === true ? known.message : "Something went wrong on our side.";
  const content = html`<p>${sentence}</p><p><a href="/">Home</a></p>`;
  const answer = htmlAnswer(bareLayout(`Error ${status}`, content), status);
  return withSecurityHeaders({ ...answer, headers: { ...answer.headers, ...known?.headers } });
}

async function answer(request: DemoRequest, sessions: SessionManager): Promise<Answer> {
  const { session } = request;
  const { pathname: path, searchParams: query } = parseUrl(request.url);
  const isRead = request.method === "GET" || request.method === "HEAD";
  const file = isRead ? asset(path) : undefined;
  if (file !== undefined) return file;

  const pages = PAGES.get(path);
  if (pages === undefined) return problem(404, "There is no such page.", session);
  const page = isRead ? pages.GET : request.method === "POST" ? pages.POST : undefined;
  if (page === undefined) {
    const refusal = problem(405, "This page does not take that method.", session);
    const allow = pages.GET === undefined ? [] : ["GET", "HEAD"];
    if (pages.POST !== undefined) allow.push("POST");
    return { ...refusal, headers: { ...refusal.headers, Allow: allow.join(", ") } };
  }
  if (!isRead && isForeign(request)) {
    return problem(403, "This form was sent from another site.", session);
  }
  const form = isRead ? new URLSearchParams() : await readForm(request.body);
  if (form === undefined) return problem(413, "That is too much for a form.", session);
  return page({ session, sessions, query, form });
}
