import type { Session } from "@kyb/session-core";

// Said here as well: through another file, the bundler loses it.
export * from "@kyb/session-core";
export * from "./pure.ts";

declare global {
  namespace Express {
    interface Request {
      /**
       * This request's session, where `session(manager)` stands before the handler; its data is what `Register` says.
       *
       * With `@types/express-session` installed this property has two types: use `@kyb/session-express/pure`.
       */
      session: Session;
    }
  }
}
