import { below, type Pointer } from '../source/pointer.js';
import type { RawEndpoint } from './raw.js';

/** An item under `endpoints.NAME.hooks`. */
export type RawHook = NonNullable<RawEndpoint['hooks']>[number];

/** The plugins that an endpoint lists under `hooks`. */
export function hookNames({ hooks = [] }: RawEndpoint): string[] {
  return hooks.map(hookName);
}

export function hookName(hook: RawHook): string {
  return typeof hook === 'string' ? hook : hook.plugin;
}

export function hookPointer(endpoint: string, index: number): Pointer {
  return below(below(below('/endpoints', endpoint), 'hooks'), index);
}
