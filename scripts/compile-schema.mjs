import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { root } from './run.mjs';

const FOLDER = 'dist/config/schema';
const INPUTS = ['schema/backworks.v1.json', 'scripts/compile-schema.mjs', 'package-lock.json'];

/**
 * Writes the configuration schema as JavaScript functions, unless nothing changed. Compiled at every start of
 * a server or command instead, the schema took half of the time of `backworks config check`.
 */
export async function compileSchema() {
  const output = join(root, FOLDER, 'validators.js');
  const digest = fingerprint(INPUTS);
  if (readStamp('schema') === digest && existsSync(output)) return;
  // Imported here, since packages may be missing when this module is loaded.
  const { Ajv } = await import('ajv');
  const { default: standalone } = await import('ajv/dist/standalone/index.js');
  const { filledSchema } = await import(pathToFileURL(join(root, FOLDER, 'published-schema.js')).href);
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    useDefaults: true,
    verbose: true,
    ownProperties: true,
    code: { source: true, esm: true },
    // A test validates the schema.
    validateSchema: false,
  });
  // Editors know this keyword. Messages use it to explain a pattern.
  ajv.addVocabulary(['patternErrorMessage']);
  ajv.addSchema(filledSchema(), 'backworks');
  ajv.addSchema({ $ref: 'backworks' }, 'whole');
  ajv.addSchema({ $ref: 'backworks#/definitions/overlay' }, 'overlay');
  const code = standalone.default(ajv, { whole: 'whole', overlay: 'overlay' });
  // Even as a module, the code calls require() for ajv's own functions.
  const require =
    "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n";
  writeFileSync(output, require + code);
  writeStamp('schema', digest);
}
