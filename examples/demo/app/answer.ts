import type { Markup } from "./markup.ts";

/** What a page answers; each host knows how to send it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An HTML page. It shows one visitor's data, so nothing keeps it: not after sign-out either. */
export function htmlAnswer(document: Markup, status = 200): Answer {
  return {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
    body: document.text,
  };
}

/** After a form: the browser fetches this page next, and reloading it sends nothing twice. */
export function seeOther(location: string): Answer {
  return { status: 303, headers: { Location: location }, body: "" };
}

/** Adds what every answer of the demo carries. No script runs in its pages, and nobody may frame them. */
export function withSecurityHeaders(answer: Answer): Answer {
  return { ...answer, headers: { ...SECURITY_HEADERS, ...answer.headers } };
}

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  // Not `no-referrer`: with it, browsers write `Origin: null` on our own forms.
  "Referrer-Policy": "same-origin",
};
