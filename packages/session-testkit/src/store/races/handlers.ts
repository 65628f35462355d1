import { isSessionError, type Session } from "@kyb/session-core";
import { type Browser, idIn, type Note, type RaceData } from "./browser.ts";

/** What one client of a manager does. */
export interface Handler {
  readonly name: string;
  run(browser: Browser): Promise<void>;
}

/** Sets a key of its own, and leaves it to the end of the request to store it. */
export const put: Handler = {
  name: "put",
  run: (browser) => browser.send(async (session, note) => write(browser, session, note)),
};

/** The same, and wants to know whether it was stored. */
export const save: Handler = {
  name: "save",
  run: (browser) =>
    browser.send(async (session, note) => {
      write(browser, session, note);
      await saveUntilAnswered(session);
    }),
};

/** Adds to a list by `update`. */
export const add: Handler = {
  name: "add",
  run: (browser) =>
    browser.send(async (session, note) => {
      const name = browser.unique("item");
      await session.update("list", (list) => [...(list ?? []), name]);
      const key = browser.unique("key");
      session.set(key, 1);
      note.stored.push(key);
    }),
};

export const read: Handler = {
  name: "read",
  run: (browser) =>
    browser.send(async (session) => {
      session.get("n");
      if (browser.random.chance(0.3)) session.track("looked");
    }),
};

export const enter: Handler = {
  name: "sign in",
  run: (browser) =>
    browser.send(async (session) => {
      const keep = browser.random.pick<true | ("n" | "list")[]>([[], ["n", "list"], true]);
      await session.signIn(browser.random.pick(["ann", "bob"]), { keep });
      session.increment("n");
    }),
};

export const renew: Handler = {
  name: "regenerate",
  run: (browser) => browser.send((session) => session.regenerate()),
};

export const leave: Handler = {
  name: "sign out",
  run: (browser) =>
    browser.send(async (session) => {
      await session.signOut();
    }),
};

/** An administrator ends the session; the browser's next request must not be served with it. */
export const revoke: Handler = {
  name: "revoke",
  run: async (browser) => {
    const jar = browser.random.pick(browser.jars);
    const id = idIn(jar.cookie);
    if (id === undefined) return;
    await browser.manager.revoke(id);
    await browser.send(async () => undefined, jar);
  },
};

export const revokeUser: Handler = {
  name: "revoke user",
  run: async (browser) => {
    await browser.manager.revokeUser(browser.random.pick(["ann", "bob"]));
    await browser.send(async () => undefined);
  },
};

export const endOthers: Handler = {
  name: "end others",
  run: (browser) =>
    browser.send(async (session) => {
      await session.endOthers();
      await session.devices();
    }),
};

function write(browser: Browser, session: Session<RaceData>, note: Note): void {
  const key = browser.unique("key");
  session.set(key, 1);
  session.increment("n", browser.random.below(9) - 3);
  note.stored.push(key);
}

/** Saves, and again until the store has answered: the changes keep the id under which they were sent. */
async function saveUntilAnswered(session: Session<RaceData>): Promise<void> {
  for (;;) {
    try {
      return await session.save();
    } catch (error) {
      if (!isSessionError(error) || error.code !== "STORE_UNAVAILABLE") throw error;
    }
  }
}
