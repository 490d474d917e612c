/**
 * Writes what is derived from schema/backworks.v1.json. Most of the schema is written by hand. Derived are:
 *
 *   schema/backworks.v1.json   the alternatives that allow variables, and what an environment may contain
 *                              (the definitions whose names begin with "overlay")
 *   src/config/schema/raw.ts   the types of a file that the schema has accepted
 *
 *   node scripts/generate-from-schema.mjs           writes them
 *   node scripts/generate-from-schema.mjs --check   lists files that are out of date, and exits with 1 if any
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { root } from './run.mjs';
import { withOverlays } from './schema-overlays.mjs';
import { rawTypes } from './schema-types.mjs';
import { withVariables } from './schema-variables.mjs';

const SCHEMA = 'schema/backworks.v1.json';
const TYPES = 'src/config/schema/raw.ts';

const schema = withOverlays(withVariables(JSON.parse(read(SCHEMA))));
const generated = {
  [SCHEMA]: await pretty(SCHEMA, JSON.stringify(schema, null, 2)),
  [TYPES]: await pretty(TYPES, await rawTypes(schema)),
};
const outdated = Object.keys(generated).filter((file) => read(file) !== generated[file]);
if (process.argv.includes('--check')) {
  for (const file of outdated) {
    process.stdout.write(`${file} is out of date: run npm run generate\n`);
  }
  process.exitCode = outdated.length === 0 ? 0 : 1;
} else {
  for (const file of outdated) writeFileSync(join(root, file), generated[file]);
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

async function pretty(file, text) {
  return format(text, { ...(await resolveConfig(join(root, file))), filepath: file });
}
