/**
 * A reply to a plain command as RESP2 has it. With RESP3 drivers answer a hash as an object or a `Map`; here it is a
 * list of fields and values again.
 */
export function flatReply(reply: unknown): unknown {
  if (reply instanceof Map) return [...reply].flat();
  if (typeof reply !== "object" || reply === null || Array.isArray(reply)) return reply;
  return Object.entries(reply).flat();
}

/** The texts in a list that a script or a hash answered. Numbers come as texts from some settings of drivers. */
export function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
