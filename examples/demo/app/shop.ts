/** What can be put into the cart, by id. */
export const PRODUCTS: ReadonlyMap<string, string> = new Map([
  ["tea", "A tin of tea"],
  ["mug", "A blue mug"],
  ["honey", "A jar of honey"],
]);

/** The users of the demo. A real application asks for a password or an identity provider here. */
export const USERS: readonly string[] = ["alice", "bob", "admin"];

/** The one user who may see and end everybody's sessions. */
export const ADMINISTRATOR = "admin";
