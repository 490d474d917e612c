import { displayName, readText } from '../source/file.js';
import { isMapping } from '../source/merge.js';
import { ProblemReport } from '../source/problems.js';
import { readSource } from '../source/source.js';
import { writtenAt } from '../source/written.js';
import type { PluginConfig } from '../types.js';

/** A `config:` block, and how its file writes the block. */
export type ConfigBlock = Pick<PluginConfig, 'config' | 'written'>;

/**
 * Reads a file that contains the `config:` block of one plugin, as YAML or JSON, with variables.
 * @throws ConfigError with all problems of the file. @throws BackworksError BW_CONFIG_NOT_FOUND
 */
export async function readPluginConfig(file: string, environment: NodeJS.ProcessEnv): Promise<ConfigBlock> {
  const name = displayName(file);
  const report = new ProblemReport();
  const text = await readText(file);
  const source = readSource(text, { name, layer: { kind: 'file' }, environment, report });
  if (source === undefined) return report.fail();
  source.reportMissing(report);
  if (!isMapping(source.value)) {
    const message = 'the configuration of a plugin must be a mapping';
    report.add('BW_CONFIG_INVALID', '', source.keyPosition(''), { message });
    return report.fail();
  }
  report.throwIfAny();
  return { config: source.value, written: writtenAt(source.marks, '') };
}
