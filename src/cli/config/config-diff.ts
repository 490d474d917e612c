import { existsSync } from 'node:fs';
import { type Difference, differences } from '../../config/show/diff.js';
import { type EffectiveConfig, loadEffective } from '../../config/load/load.js';
import { EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { requestConfig } from '../command/config-file.js';
import { printJson } from '../terminal/print.js';
import { oneLine } from '../../printable.js';
import { type Screen } from '../terminal/screen.js';

/** `backworks config diff A B`: shows how two configurations differ. Each is FILE, FILE@ENV or @ENV. */
export async function configDiff(context: CommandContext, a: string, b: string): Promise<ExitCode> {
  const [from, to] = [await load(context, a), await load(context, b)];
  const found = differences(from.source, to.source);
  if (context.json) {
    printJson(context.out, { from: named(from), to: named(to), differences: found });
  } else {
    for (const difference of found) printDifference(context.out, difference);
    if (found.length === 0) context.out.line('no differences');
  }
  return found.length === 0 ? EXIT.ok : EXIT.failure;
}

async function load(context: CommandContext, side: string): Promise<EffectiveConfig> {
  const at = existsSync(side) ? -1 : side.lastIndexOf('@');
  if (at === -1) {
    const { file, options } = await requestConfig(context, side);
    return loadEffective(file, options);
  }
  // FILE@ is the file without an overlay, even with --env or BACKWORKS_ENV.
  const environment = side.slice(at + 1) || undefined;
  const { file, options } = await requestConfig(context, side.slice(0, at) || undefined);
  return loadEffective(file, { ...options, environment });
}

const named = ({ file, environment }: EffectiveConfig): object => ({ file, environment });

function printDifference(screen: Screen, { path, change, from, to, hidden }: Difference): void {
  const [was, is] = [from, to].map((value) => oneLine(JSON.stringify(value)));
  switch (change) {
    case 'added':
      screen.line(screen.style('green', `+ ${path}: ${is}`));
      break;
    case 'removed':
      screen.line(screen.style('red', `- ${path}: ${was}`));
      break;
    case 'reordered':
      screen.line(screen.style('yellow', `~ ${path} (order):  ${was} → ${is}`));
      break;
    case 'changed':
      screen.line(
        screen.style('yellow', `~ ${path}: ${hidden ? 'changed, values not shown' : `${was} → ${is}`}`),
      );
  }
}
