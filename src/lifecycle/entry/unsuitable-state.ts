import { BackworksError } from '../../errors.js';
import type { RegistryEntry } from './registry-entry.js';

const HINTS: Readonly<Record<string, string>> = {
  stopped: 'a plugin that is disabled or shut down stays so',
  lazy: 'it starts with its first use, or by backworks plugin load',
};

/** @param what cannot be done, as a participle */
export function unsuitable({ plan, state }: RegistryEntry, what: string): BackworksError {
  const message = `plugin ${plan.name} is ${state} and cannot be ${what}`;
  return new BackworksError('BW_PLUGIN_STATE', message, { hint: HINTS[state] });
}
