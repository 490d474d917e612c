import { createHash } from 'node:crypto';
import { type ConfigProblem, ProblemReport } from '../source/problems.js';
import type { JsonObject } from '../types.js';
import { applySchema } from './apply.js';
import { sourceOfBlock } from './config-blocks.js';
import { explainMistakes } from './explain.js';
import type { CheckAnswer, CheckTask } from './mistake.js';
import { vetSchema } from './vet.js';

export type PluginConfigCheck =
  /** The configuration fits. @property config with the schema's defaults filled in */
  | { readonly kind: 'fits'; readonly config: Readonly<JsonObject> }
  | { readonly kind: 'misfit'; readonly problems: readonly ConfigProblem[] }
  /** The schema itself cannot be applied. @property reason completes "its config_schema cannot be used: " */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Number of recent answers that are cached. */
const KEPT_MAX = 256;
const kept = new Map<string, CheckAnswer>();

/**
 * Checks the `config:` block of a plugin against the JSON Schema (draft-07) of its library. The schema is
 * untrusted: it is vetted first, then applied in a thread with a deadline and a memory limit. Results are
 * cached, so the same schema and configuration are checked once. Never rejects.
 * @param schema `config_schema` of the manifest; null when the manifest has none, and then every
 * configuration fits
 * @param config the `config` object of PluginConfig itself, not a copy: its locations in the file are looked
 * up by identity
 * @param plugin the name for messages
 */
export async function checkPluginConfig(
  schema: JsonObject | null,
  config: Readonly<JsonObject>,
  plugin: string,
): Promise<PluginConfigCheck> {
  if (schema === null) return { kind: 'fits', config };
  const fault = vetSchema(schema);
  if (fault !== null) return { kind: 'unusable', reason: fault };
  const source = sourceOfBlock(config, plugin);
  const alternatives = [...source.marks].flatMap(([pointer, { alternative }]) =>
    alternative === undefined ? [] : [[pointer, alternative] as const],
  );
  const answer = await answerTo({ schema, config, alternatives });
  if ('unusable' in answer) return { kind: 'unusable', reason: answer.unusable };
  const report = new ProblemReport();
  for (const { pointer, atKey, finding } of explainMistakes(answer.mistakes, source)) {
    const place = atKey ? source.keyPosition(pointer) : source.valuePosition(pointer);
    report.add('BW_CONFIG_INVALID', source.prefix + pointer, place, finding);
  }
  const problems = report.inOrder();
  return problems.length > 0 ? { kind: 'misfit', problems } : { kind: 'fits', config: answer.config };
}

/** Turns the reason why a schema cannot be used into a problem of the plugin's entry. */
export function unusableSchema(config: Readonly<JsonObject>, plugin: string, reason: string): ConfigProblem {
  const source = sourceOfBlock(config, plugin);
  const report = new ProblemReport();
  const message = `the config_schema of its library cannot be used: ${reason}`;
  report.add('BW_CONFIG_INVALID', source.prefix, source.keyPosition(''), { message });
  const [problem] = report.inOrder();
  return problem as ConfigProblem;
}

async function answerTo(task: CheckTask): Promise<CheckAnswer> {
  const digest = createHash('sha256').update(JSON.stringify(task)).digest('base64');
  const known = kept.get(digest);
  if (known !== undefined) return known;
  const answer = await applySchema(task);
  // A timeout may be the machine's fault, so it is not cached.
  if (!('unusable' in answer)) kept.set(digest, answer);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
  return answer;
}
