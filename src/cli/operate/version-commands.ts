import type { Command } from 'commander';
import type { Run } from '../command/command.js';

/** Declares the commands for versions of a plugin. */
export function declareVersions(plugin: Command, run: Run): void {
  plugin
    .command('swap')
    .summary('swap a plugin to the library at its path')
    .description('replace the serving version of a plugin with the library that is now at its path')
    .argument('<name>', 'name of the plugin')
    .action((name: string) =>
      run(async (context) => (await import('./plugin-swap.js')).pluginSwap(context, name)),
    );
  plugin
    .command('rollback')
    .description('go back to a version that served before')
    .argument('<name>', 'name of the plugin')
    .option('--to <version>', 'number of versions to go back, or at least eight digits of a digest')
    .action((name: string, options: { to?: string }) =>
      run(async (context) => (await import('./plugin-swap.js')).pluginRollback(context, name, options)),
    );
  plugin
    .command('history')
    .summary('show past swaps and their results')
    .description('show past swaps: who, when, from which version to which, with the result and the reason')
    .argument('<name>', 'name of the plugin')
    .action((name: string) =>
      run(async (context) => (await import('./plugin-history.js')).pluginHistory(context, name)),
    );
}
