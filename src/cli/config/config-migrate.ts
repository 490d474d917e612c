import { createTwoFilesPatch } from 'diff';
import { displayName, readText } from '../../config/source/file.js';
import { migrate, type Migrated } from '../../config/migrations/migrate.js';
import { CURRENT_VERSION } from '../../config/migrations/version.js';
import { replaceFile } from '../../config/edit/replace-file.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { requestConfig } from '../command/config-file.js';
import { printJson } from '../terminal/print.js';
import { oneLine } from '../../printable.js';

export interface MigrateOptions {
  readonly write?: boolean;
  readonly to?: string;
}

/** `backworks config migrate [FILE]`: shows the changes, or applies them with --write. */
export async function configMigrate(
  context: CommandContext,
  named: string | undefined,
  { write = false, to = String(CURRENT_VERSION) }: MigrateOptions,
): Promise<ExitCode> {
  if (!/^[0-9]{1,9}$/.test(to)) {
    throw new BackworksError('BW_USAGE', `--to expects a version number, not ${JSON.stringify(to)}`);
  }
  const { file: path } = await requestConfig(context, named);
  const name = displayName(path);
  const before = await readText(path);
  const migrated = migrate(before, name, Number(to));
  const changed = migrated.text !== before;
  const patch = changed ? createTwoFilesPatch(name, name, before, migrated.text, undefined, undefined) : '';
  const backup = write && changed ? await replaceFile(path, migrated.text, `v${migrated.from}`) : null;
  if (context.json) {
    const { from, notes } = migrated;
    printJson(context.out, {
      file: path,
      from,
      to: migrated.to,
      changed,
      written: backup !== null,
      backup,
      notes,
      patch,
    });
  } else report(context, { name, migrated, patch, backup });
  return EXIT.ok;
}

interface Outcome {
  readonly name: string;
  readonly migrated: Migrated;
  readonly patch: string;
  readonly backup: string | null;
}

function report({ out, err }: CommandContext, { name, migrated, patch, backup }: Outcome): void {
  const { from, to, notes } = migrated;
  if (patch === '') {
    out.line(`${out.style('green', 'ok')}: ${name} has version ${to}`);
    return;
  }
  if (backup === null) {
    const lines = patch.trimEnd().split('\n');
    // The first line is a rule of = signs that patch(1) does not need.
    for (const line of lines.slice(lines[0]?.startsWith('===') === true ? 1 : 0)) {
      const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : null;
      out.line(style === null ? oneLine(line) : out.style(style, oneLine(line)));
    }
  }
  for (const { line, message } of notes) {
    err.line(`${err.style('yellow', 'warning')}: ${name}:${line}: ${oneLine(message)}`);
  }
  if (backup === null) err.line(`from version ${from} to ${to}; pass --write to change the file`);
  else out.line(`${out.style('green', 'ok')}: ${name} has version ${to}; backup: ${displayName(backup)}`);
}
