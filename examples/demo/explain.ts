/**
 * What went wrong and what lies behind it, in one line for the person who runs the program: a store says that it could
 * not be asked, and only its cause says that the connection was refused.
 */
export function explain(error: unknown): string {
  const reasons: string[] = [];
  let at = error;
  while (at instanceof Error) {
    if (at.message !== "") reasons.push(at.message.replace(/\.$/, ""));
    // A host name with several addresses: each of them failed, and the first says why.
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return reasons.length === 0 ? String(error) : reasons.join(": ");
}
