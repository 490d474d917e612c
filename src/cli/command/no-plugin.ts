import { BackworksError } from '../../errors.js';

/** The error for a plugin name that does not exist. */
export function noPlugin(
  name: string,
  plugins: readonly { readonly name: string }[],
  more = '',
): BackworksError {
  const names = plugins.map((plugin) => plugin.name).join(', ') || 'none';
  return new BackworksError('BW_PLUGIN_UNKNOWN', `no plugin is named ${JSON.stringify(name)}`, {
    hint: `known plugins: ${names}${more}`,
  });
}
