import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

const ajv = new Ajv({ allErrors: true, strict: false });

function faultsBy(name: string): (document: string) => string[] {
  const url = new URL(`../../../schema/${name}`, import.meta.url);
  const validate = ajv.compile(JSON.parse(readFileSync(url, 'utf8')) as object);
  return (document) => {
    validate(JSON.parse(document));
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

/** What the published schema finds wrong with the JSON of a request document. */
export const requestFaults = faultsBy('request-document.v1.json');
/** What the published schema finds wrong with the JSON of a response document. */
export const responseFaults = faultsBy('response-document.v1.json');
