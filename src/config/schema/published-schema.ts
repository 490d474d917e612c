import { readFileSync } from 'node:fs';
import type { AnySchemaObject } from 'ajv';

/** The text of the published JSON Schema. */
export function schemaText(): string {
  return readFileSync(new URL('../../../schema/backworks.v1.json', import.meta.url), 'utf8');
}

/** The schema for a file whose variables are filled in: it does not allow a variable in place of a value. */
export function filledSchema(): AnySchemaObject {
  return JSON.parse(schemaText(), (_key, node: unknown) => {
    const { anyOf, ...rest } = (node ?? {}) as { anyOf?: readonly AnySchemaObject[] };
    return anyOf?.at(-1)?.['$ref'] === '#/definitions/variable' ? { ...rest, ...anyOf[0] } : node;
  }) as AnySchemaObject;
}
