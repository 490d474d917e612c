/**
 * Runs in its own thread: compiles the schema of a library and checks one configuration with it. The parent
 * stops the thread when it takes too long or uses too much memory. A thread never checks a second
 * configuration.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { JsonObject, JsonValue } from '../types.js';
import { segments } from '../source/pointer.js';
import { FORMATS } from './keywords.js';
import { MISTAKES_MAX } from './limits.js';
import type { CheckAnswer, CheckTask, Mistake, Rule } from './mistake.js';

const KEYS_MAX = 256;
const RULE_KEYS = [
  ...['type', 'enum', 'const', 'pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum'],
  ...['exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minProperties', 'maxProperties', 'writeOnly'],
] as const;

function check({ schema, config, alternatives }: CheckTask): CheckAnswer {
  const ajv = new Ajv({
    allErrors: true,
    // vetSchema() has decided which keywords are allowed. The validator need not be stricter.
    strict: false,
    useDefaults: true,
    verbose: true,
    ownProperties: true,
    // Each definition becomes one function, however often it is used.
    inlineRefs: false,
    logger: false,
  });
  addFormats.default(ajv, [...FORMATS] as addFormats.FormatName[]);
  // All supported dialects are read as the one that the validator knows.
  const { $schema, ...rules } = schema;
  void $schema;
  const validate = ajv.compile(rules);
  let checked = structuredClone(config);
  let errors = validate(checked) ? [] : (validate.errors ?? []);
  const reread = alternatives.filter(([at]) => errors.some(({ instancePath }) => instancePath === at));
  if (reread.length > 0) {
    checked = structuredClone(config);
    for (const [at, value] of reread) assign(checked, segments(at), value);
    errors = validate(checked) ? [] : (validate.errors ?? []);
  }
  return { config: checked, mistakes: errors.slice(0, MISTAKES_MAX).map(mistake) };
}

function assign(root: JsonObject, path: readonly string[], value: JsonValue): void {
  let parent: JsonValue | undefined = root;
  for (const segment of path.slice(0, -1)) parent = (parent as JsonObject | undefined)?.[segment];
  const last = path.at(-1);
  if (last !== undefined && typeof parent === 'object' && parent !== null) {
    (parent as JsonObject)[last] = value;
  }
}

function mistake(error: ErrorObject): Mistake {
  const { keyword, instancePath, schemaPath, params, propertyName } = error;
  const named: unknown = params['additionalProperty'] ?? params['missingProperty'] ?? propertyName;
  return {
    keyword,
    pointer: instancePath,
    schemaPath,
    key: typeof named === 'string' ? named : null,
    rule: ruleOf(error.parentSchema ?? {}),
  };
}

function ruleOf(schema: JsonObject): Rule {
  const facts = RULE_KEYS.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]);
  const keys = Object.keys(schema['properties'] ?? {}).slice(0, KEYS_MAX);
  return { ...(Object.fromEntries(facts) as Rule), keys };
}

function answer(task: CheckTask): CheckAnswer {
  try {
    return check(task);
  } catch (error) {
    if (error instanceof RangeError) return { unusable: 'it refers to itself without end' };
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.postMessage('up');
parentPort?.postMessage(answer(workerData as CheckTask));
