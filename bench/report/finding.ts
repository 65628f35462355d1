import type { Spread } from "../method/statistics.ts";

/** `met`, `short` of the target, or only to be known. */
export type Verdict = "met" | "short" | "info" | "failed";

/** One target with what was measured for it. */
export interface Finding {
  /** `T1` to `T14`. */
  readonly target: string;
  readonly subject: string;
  /** The target in words. */
  readonly limit: string;
  readonly result: string;
  readonly verdict: Verdict;
  /** The figure that was judged, for the comparison with earlier results. */
  readonly value: number | undefined;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one row of the bench brings home. */
export interface RowReport {
  readonly tables: readonly Table[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** What is judged. */
export interface Measured {
  readonly target: string;
  readonly subject: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Where the value is one of several rounds. */
  readonly spread?: Spread;
}

export function atMost(measured: Measured): Finding {
  return judged(measured, "at most", measured.value <= measured.limit);
}

export function atLeast(measured: Measured): Finding {
  return judged(measured, "at least", measured.value >= measured.limit);
}

/** A figure without a target of its own. */
export function known(target: string, subject: string, result: string, value?: number): Finding {
  return { target, subject, limit: "", result, verdict: "info", value };
}

/** A row that could not be measured. */
export function failed(target: string, subject: string, why: string): Finding {
  return { target, subject, limit: "", result: why, verdict: "failed", value: undefined };
}

function judged(measured: Measured, comparison: string, isMet: boolean): Finding {
  const { target, subject, value, limit, unit, spread } = measured;
  const range = spread === undefined ? "" : ` (${number(spread.min)} to ${number(spread.max)})`;
  return {
    target,
    subject,
    limit: `${comparison} ${number(limit)} ${unit}`.trim(),
    result: `${number(value)} ${unit}`.trim() + range,
    verdict: isMet ? "met" : "short",
    value,
  };
}

/** A number as people read it: three digits that matter. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "?";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function range({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)} to ${number(max)})`;
}
