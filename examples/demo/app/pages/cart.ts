import type { Session } from "@kyb/session-core";
import { type Answer, htmlAnswer, seeOther } from "../answer.ts";
import { actionButton, layout } from "../layout.ts";
import { html, type Markup } from "../markup.ts";
import { problem } from "../problem.ts";
import { PRODUCTS } from "../shop.ts";
import type { Visitor } from "../visitor.ts";

/** The products, and how many of each are in the cart. */
export function cart({ session }: Visitor): Answer {
  const products = [...PRODUCTS].map(([id, name]) => product(id, name, session));
  return htmlAnswer(layout("Cart", session, html`<ul class="products">${products}</ul>`));
}

/** Adds or removes one. Requests that do so at the same time all count, because `update` tries again. */
export async function changeCart({ session, form }: Visitor): Promise<Answer> {
  const id = form.get("product") ?? "";
  if (!PRODUCTS.has(id)) return problem(404, "There is no such product.", session);
  if (session.state !== "ok") {
    return problem(409, "You have no session at the moment that could keep a cart.", session);
  }
  const by = form.get("change") === "remove" ? -1 : 1;
  await session.update("cart", (current) => ({
    ...current,
    [id]: Math.max(0, (current?.[id] ?? 0) + by),
  }));
  session.track(by > 0 ? "cart.add" : "cart.remove", { product: id });
  return seeOther("/cart");
}

function product(id: string, name: string, session: Session): Markup {
  const count = session.get("cart")?.[id] ?? 0;
  return html`<li><h2>${name}</h2><p>${count} in your cart</p>
${actionButton("/cart", "Add", { product: id, change: "add" }, name)}
${count > 0 && actionButton("/cart", "Remove", { product: id, change: "remove" }, name)}</li>`;
}
