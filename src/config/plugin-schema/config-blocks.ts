import { below, isWithin } from '../source/pointer.js';
import { Source } from '../source/source.js';
import type { BackworksConfig, JsonObject } from '../types.js';

/** The source locations of each `config:` block, kept as long as the block is referenced. */
const sources = new WeakMap<Readonly<JsonObject>, Source>();

/** Records where each plugin's `config:` block and its values are in the file. */
export function rememberBlocks({ plugins }: Pick<BackworksConfig, 'plugins'>, source: Source): void {
  for (const { name, config } of plugins) {
    const prefix = below(below('/plugins', name), 'config');
    const marks = [...source.marks]
      .filter(([pointer]) => isWithin(pointer, prefix))
      .map(([pointer, mark]) => [pointer.slice(prefix.length), mark] as const);
    // A missing block gets the location of its plugin's entry.
    const [, entry] = [...source.marks].find(([pointer]) => pointer === below('/plugins', name)) ?? [];
    const whole = entry === undefined ? [] : [['', entry] as const];
    sources.set(config, new Source(config, new Map([...whole, ...marks]), source.prefix + prefix));
  }
}

/** A block with its source locations; without locations for a value that came from no file. */
export function sourceOfBlock(config: Readonly<JsonObject>, plugin: string): Source {
  const known = sources.get(config);
  if (known !== undefined) return known;
  const place = { file: `plugin ${plugin}`, line: null, column: null };
  const mark = { key: place, value: place, layer: { kind: 'file' } } as const;
  return new Source(config, new Map([['', mark]]), below(below('/plugins', plugin), 'config'));
}
