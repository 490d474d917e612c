import { BackworksError } from '../errors.js';

const NAME_BYTES_MAX = 64;
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names that cargo refuses for a package: keywords, and crates that come with the compiler. */
const TAKEN_BY_RUST: ReadonlySet<string> = new Set(
  (
    'abstract as async await become box break const continue crate do dyn else enum extern false final fn for gen if ' +
    'impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try ' +
    'type typeof unsafe unsized use virtual where while yield alloc core std test proc-macro build deps examples'
  ).split(' '),
);

/**
 * Checks the name of a new plugin. It becomes the name in the manifest, of the folder and of the library.
 * @throws BackworksError BW_USAGE with a name that would work
 */
export function checkPluginName(name: string, language: string): void {
  if (!NAME.test(name) || name.length > NAME_BYTES_MAX) {
    const rule = `lower-case words joined by "-", at most ${NAME_BYTES_MAX} characters, beginning with a letter`;
    throw usage(`the plugin name "${name.slice(0, 80)}" is not ${rule}`, similarName(name));
  }
  if (name === 'auto-discover' || (language === 'rust' && TAKEN_BY_RUST.has(name))) {
    const why = language === 'rust' ? 'Rust reserves it' : 'the configuration reserves it';
    throw usage(`a plugin cannot be named "${name}": ${why}`, `${name}-plugin`);
  }
}

/** A valid name like the given one, or undefined. */
function similarName(name: string): string | undefined {
  const similar = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
    .slice(0, NAME_BYTES_MAX)
    .replace(/-+$/, '');
  return NAME.test(similar) ? similar : undefined;
}

function usage(message: string, instead: string | undefined): BackworksError {
  const hint = instead === undefined ? 'choose another name, such as price-check' : `try ${instead}`;
  return new BackworksError('BW_USAGE', message, { hint });
}
