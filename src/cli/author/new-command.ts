import type { Command } from 'commander';
import { BackworksError } from '../../errors.js';
import type { Run } from '../command/command.js';
import type { NewArguments } from './plugin-new.js';

/** Declares `backworks plugin new`, and its other name `plugin template NAME [INDUSTRY]`. */
export function declareNew(plugin: Command, run: Run): void {
  plugin
    .command('new')
    .alias('template')
    .summary('write the project of a new plugin')
    .description(
      'write the project of a new plugin: sources, tests, build files and a configuration that runs it',
    )
    .argument('[name]', 'name of the plugin: lower-case words joined by "-"')
    .argument('[template]', 'the same as --template')
    .option('--lang <language>', 'c, cpp, rust, go or zig')
    .option('--template <template>', 'what the plugin does at first (default: basic)')
    .option('--directory <directory>', 'folder to write (default: ./NAME)')
    .option('--force', 'write into a folder that has files, and replace those of the same name')
    .option('--list', 'show the templates and their languages')
    .action((name: string | undefined, template: string | undefined, given: NewArguments) =>
      run(async (context) => {
        const chosen = given.template ?? template;
        if (template !== undefined && chosen !== template)
          throw new BackworksError('BW_USAGE', `two templates are named: ${template} and ${chosen}`);
        return (await import('./plugin-new.js')).pluginNew(context, name, { ...given, template: chosen });
      }),
    );
}
