import { type Answer, htmlAnswer, seeOther } from "../answer.ts";
import { actionButton, layout } from "../layout.ts";
import { html } from "../markup.ts";
import { problem } from "../problem.ts";
import { client, sessionTable } from "../tables.ts";
import type { Visitor } from "../visitor.ts";

/** Where the visitor's user is signed in. */
export async function devices({ session }: Visitor): Promise<Answer> {
  const { items } = await session.devices();
  const table = sessionTable("Your live sessions", items, (device) =>
    device.id === session.id
      ? "this one"
      : actionButton("/devices/end", "End this session", { id: device.id }, client(device)),
  );
  const content = html`${
    session.userId === undefined &&
    html`<p>Sign in, and sessions of the same user elsewhere are
listed here too.</p>`
  }
${table}
${items.length > 1 && actionButton("/devices/end-others", "End all others")}`;
  return htmlAnswer(layout("Your devices", session, content));
}

/** The core makes sure that it is a session of the same user. */
export async function endDevice({ session, form }: Visitor): Promise<Answer> {
  const isEnded = await session.endOther(form.get("id") ?? "");
  return isEnded ? seeOther("/devices") : problem(404, "You have no other such session.", session);
}

/** Leaves only the session that asks. */
export async function endOtherDevices({ session }: Visitor): Promise<Answer> {
  await session.endOthers();
  return seeOther("/devices");
}
