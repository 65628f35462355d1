import type { JsonValue } from "./metadata.ts";

/**
 * Where an application says once, for all hosts, what its sessions hold:
 *
 * ```ts
 * declare module "@kyb/session-express" {
 *   interface Register { data: { cart: string[]; theme?: "dark" | "light" } }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged with.
export interface Register {}

/** The registered data, or any JSON where nothing was registered. */
export type RegisteredData = Register extends { data: infer Data extends object }
  ? Data
  : { [key: string]: JsonValue };

/** Session data as it is read: nothing in it can be changed in place. */
export type DeepReadonly<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : Value extends readonly unknown[]
    ? ReadonlyList<Value>
    : Value extends object
      ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
      : Value;

// A type of its own, because the compiler then looks into it only when asked: JSON in general has no end.
type ReadonlyList<List extends readonly unknown[]> = readonly DeepReadonly<List[number]>[];

/** The keys of session data. */
export type DataKey<Data extends object> = Extract<keyof Data, string>;

/** The keys that hold numbers. */
export type NumberKey<Data extends object> = {
  [Key in DataKey<Data>]-?: NonNullable<Data[Key]> extends number
    ? Key
    : JsonValue extends Data[Key]
      ? Key
      : never;
}[DataKey<Data>];
