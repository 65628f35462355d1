import { type ServerType, serve } from "@hono/node-server";
import { applications, type HonoApplication } from "./hono-app.ts";
import type { Running, Variants } from "./variant.ts";

export const variants: Variants = Object.fromEntries(
  Object.entries(applications).map(([name, make]) => [name, () => listen(make())]),
);

function listen(app: HonoApplication): Promise<Running> {
  return new Promise((resolve) => {
    const server: ServerType = serve(
      { fetch: (request, env) => app.fetch(request, env), port: 0, hostname: "127.0.0.1" },
      ({ port }) => {
        if ("keepAliveTimeout" in server) server.keepAliveTimeout = 0;
        resolve({ port, ...(app.tracked === undefined ? {} : { tracked: app.tracked }) });
      },
    );
  });
}
