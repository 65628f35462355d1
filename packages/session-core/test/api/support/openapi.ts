import { Ajv2020 } from "ajv/dist/2020.js";
import document from "../../../src/api/openapi.json" with { type: "json" };

/** What the checks need of the document; it is plain data, so a name that is not there is undefined. */
export interface Operation {
  readonly parameters?: readonly { readonly name?: string; readonly $ref?: string }[];
  readonly responses: Readonly<Record<string, object>>;
}

/** The document as it is checked in. */
export { document };

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      `${method.toUpperCase()} ${path}`,
      operation as Operation,
    ]),
  ),
);

const NAME = "openapi.json";
const ajv = new Ajv2020({ strict: false, allErrors: true });
// Times are in UTC, which the format alone would not ask for.
ajv.addFormat("date-time", /^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z$/);
ajv.addSchema(document, NAME);

/**
 * What an answer breaks of the document; empty where it is as it is documented. An unknown path and a method that a
 * path does not have answer the schema `Error`.
 */
export function violations(
  method: string,
  path: string,
  status: number,
  headers: Headers,
  body: unknown,
): string[] {
  const operation = OPERATIONS.get(`${method === "HEAD" ? "GET" : method} ${path}`);
  if (operation === undefined) {
    const expected = path in document.paths ? 405 : 404;
    if (status !== expected) return [`${method} ${path} answers ${status} instead of ${expected}`];
    return method === "HEAD" ? [] : schemaErrors(`${NAME}#/components/schemas/Error`, body);
  }
  const name = `${method} ${path} ${status}`;
  const given = operation.responses[String(status)];
  if (given === undefined) return [`${name} is not documented`];
  const [pointer, response] = resolve(given, method, path, status);
  const missing = Object.entries(response.headers ?? {})
    .filter(([header, { required }]) => required === true && !headers.has(header))
    .map(([header]) => `${name} lacks ${header}`);
  if (method === "HEAD") return missing;
  return [...missing, ...schemaErrors(`${NAME}#${pointer}/content/application~1json/schema`, body)];
}

interface ResponseObject {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
}

function resolve(
  given: object,
  method: string,
  path: string,
  status: number,
): [pointer: string, response: ResponseObject] {
  if ("$ref" in given && typeof given.$ref === "string") {
    const key = given.$ref.split("/").at(-1) ?? "";
    const responses: Readonly<Record<string, object>> = document.components.responses;
    return [given.$ref.slice(1), responses[key] ?? {}];
  }
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  const escaped = path.replaceAll("~", "~0").replaceAll("/", "~1");
  return [`/paths/${escaped}/${verb}/responses/${status}`, given];
}

function schemaErrors(reference: string, body: unknown): string[] {
  const validate = ajv.getSchema(reference);
  if (validate === undefined) return [`${reference} is not in the document`];
  if (validate(body) === true) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
