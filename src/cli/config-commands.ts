import type { Command } from 'commander';
import type { Run } from './command.js';

/** The commands below `backworks config`. */
export function declareConfig(program: Command, run: Run): void {
  const config = program.command('config').description('look at configurations and bring them up to date');
  config
    .command('check')
    .summary('say whether a server would start with it')
    .description('say whether a server would start with a configuration, and what is wrong with it')
    .argument('[file]', 'configuration file')
    .option('--strict', 'warnings fail too')
    .action((file: string | undefined, options: { strict?: boolean }) =>
      run(async (context) => (await import('./config-check.js')).configCheck(context, file, options)),
    );
  config
    .command('print')
    .summary('what all layers of a configuration give together')
    .description('the configuration that files, environment, flags and defaults give together')
    .argument('[file]', 'configuration file')
    .option('--origin', 'say where each value came from')
    .action((file: string | undefined, options: { origin?: boolean }) =>
      run(async (context) => (await import('./config-print.js')).configPrint(context, file, options)),
    );
  config
    .command('diff')
    .summary('in what two configurations differ')
    .description('in what two configurations differ; ends with 1 when they do')
    .argument('<a>', 'FILE, FILE@ENVIRONMENT, or @ENVIRONMENT')
    .argument('<b>', 'the same')
    .action((a: string, b: string) =>
      run(async (context) => (await import('./config-diff.js')).configDiff(context, a, b)),
    );
  config
    .command('schema')
    .description('the JSON Schema of the configuration')
    .action(() => run(async (context) => (await import('./config-schema.js')).configSchema(context)));
  config
    .command('migrate')
    .summary('bring a file to the current version')
    .description('bring a file of an earlier version to the current one; shows the difference')
    .argument('[file]', 'configuration file')
    .option('--write', 'change the file; what it was is kept beside it')
    .option('--to <version>', 'stop at this version')
    .action((file: string | undefined, options: { write?: boolean; to?: string }) =>
      run(async (context) => (await import('./config-migrate.js')).configMigrate(context, file, options)),
    );
  config
    .command('template')
    .summary('a commented block for a plugin')
    .description('a block for a plugin, made of what its library says of itself')
    .argument('<plugin>', 'name of a configured plugin, or path of a library')
    .action((which: string) =>
      run(async (context) => (await import('./config-template.js')).configTemplate(context, which)),
    );
}
