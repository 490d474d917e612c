import type { Command } from 'commander';
import type { Run } from './command.js';

/** Declares what can be done about the versions of a plugin. */
export function declareVersions(plugin: Command, run: Run): void {
  plugin
    .command('swap')
    .summary('put the library now at its path in place')
    .description('put the library that is at its path now in the place of the one that serves')
    .argument('<name>', 'name of the plugin')
    .action((name: string) =>
      run(async (context) => (await import('./plugin-swap.js')).pluginSwap(context, name)),
    );
  plugin
    .command('rollback')
    .description('go back to a version that served before')
    .argument('<name>', 'name of the plugin')
    .option('--to <version>', 'how many versions back, or eight or more digits of a digest')
    .action((name: string, options: { to?: string }) =>
      run(async (context) => (await import('./plugin-swap.js')).pluginRollback(context, name, options)),
    );
  plugin
    .command('history')
    .summary('what became of swaps, and why')
    .description('what became of swaps: who, when, from which version to which, and why')
    .argument('<name>', 'name of the plugin')
    .action((name: string) =>
      run(async (context) => (await import('./plugin-history.js')).pluginHistory(context, name)),
    );
}
