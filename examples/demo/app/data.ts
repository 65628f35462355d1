declare module "@kyb/session-core" {
  interface Register {
    data: DemoData;
  }
}

/** What the demo keeps in a session; said once, and every host's `session` is typed with it. */
export interface DemoData {
  /** How many of each product, by product id. */
  cart: { [productId: string]: number };
}
