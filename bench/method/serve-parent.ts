/** What a child process can be asked. */
export type Handlers = Readonly<Record<string, (payload: never) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly payload: unknown;
}

/** Answers the parent's questions, one after the other or at the same time, as they come. */
export function serveParent(handlers: Handlers): void {
  process.on("message", (message) => {
    void answer(handlers, message as Question);
  });
  // Nobody is left to ask.
  process.on("disconnect", () => process.exit(0));
}

async function answer(handlers: Handlers, { id, name, payload }: Question): Promise<void> {
  try {
    const handler = handlers[name];
    if (handler === undefined) throw new Error(`Nobody answers "${name}".`);
    process.send?.({ id, answer: (await handler(payload as never)) ?? null });
  } catch (error) {
    process.send?.({
      id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}
