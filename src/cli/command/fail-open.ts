import type { PluginStatus } from '../../lifecycle/entry/status.js';

/** Plugins with before_request whose failure lets requests through. Stopped plugins are left out. */
export function failingOpen(plugins: readonly PluginStatus[]): string[] {
  return plugins.filter(({ failsOpen, state }) => failsOpen && state !== 'stopped').map(({ name }) => name);
}

/** One line that names them all. @param names at least one */
export function failOpenSentence(names: readonly string[]): string {
  return (
    `when one of these plugins fails, requests pass without its before_request: ${names.join(', ')} ` +
    '(with on_failure: refuse, such requests are refused)'
  );
}
