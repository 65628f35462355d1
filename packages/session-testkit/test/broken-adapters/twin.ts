import type { Session } from "@kyb/session-core";
import type { AdapterHarness, TestData } from "../../src/index.ts";

/** An adapter that breaks one guarantee on purpose, and the cases that must notice. */
export interface BrokenAdapter {
  /** What it does wrong. */
  readonly name: string;
  readonly make: () => AdapterHarness;
  /** Names of cases, each of which must reject it. */
  readonly rejectedBy: readonly string[];
}

export function twin(
  name: string,
  Adapter: new () => AdapterHarness,
  ...rejectedBy: readonly string[]
): BrokenAdapter {
  return { name, make: () => new Adapter(), rejectedBy };
}

/** The handle, with some methods replaced. */
export function instead(
  session: Session<TestData>,
  methods: Partial<Session<TestData>>,
): Session<TestData> {
  return new Proxy(session, {
    get(target, key) {
      const replaced: unknown = Reflect.get(methods, key);
      if (replaced !== undefined) return replaced;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The session cookie of a request, as it came. */
export function cookieIn(header: string | null): string | undefined {
  return header?.split("; ").find((pair) => pair.startsWith("kyb_session_id="));
}
