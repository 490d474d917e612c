import type { Command } from 'commander';
import type { Run } from '../command/command.js';

/** Declares the commands below `backworks config`. */
export function declareConfig(program: Command, run: Run): void {
  const config = program.command('config').description('inspect and migrate configurations');
  config
    .command('check')
    .summary('check whether a server would start with the file')
    .description('check whether a server would start with a configuration, and list its problems')
    .argument('[file]', 'configuration file')
    .option('--strict', 'fail on warnings as well')
    .action((file: string | undefined, options: { strict?: boolean }) =>
      run(async (context) => (await import('./config-check.js')).configCheck(context, file, options)),
    );
  config
    .command('print')
    .summary('print the merge of all layers of a configuration')
    .description('print the configuration after files, environment, flags and defaults are merged')
    .argument('[file]', 'configuration file')
    .option('--origin', 'show where each value came from')
    .option('--routes', 'print instead what the requests of each endpoint pass, in order')
    .action(
      (file: string | undefined, { routes = false, ...options }: { origin?: boolean; routes?: boolean }) =>
        run(async (context) =>
          routes
            ? (await import('./config-routes.js')).configRoutes(context, file)
            : (await import('./config-print.js')).configPrint(context, file, options),
        ),
    );
  config
    .command('diff')
    .summary('show how two configurations differ')
    .description('show how two configurations differ; exits with 1 if they do')
    .argument('<a>', 'FILE, FILE@ENVIRONMENT, or @ENVIRONMENT')
    .argument('<b>', 'the same')
    .action((a: string, b: string) =>
      run(async (context) => (await import('./config-diff.js')).configDiff(context, a, b)),
    );
  config
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => run(async (context) => (await import('./config-schema.js')).configSchema(context)));
  config
    .command('migrate')
    .summary('migrate a file to the current version')
    .description('migrate a file of an earlier version to the current one, and show the difference')
    .argument('[file]', 'configuration file')
    .option('--write', 'change the file, and keep a copy of the old one beside it')
    .option('--to <version>', 'stop at this version')
    .action((file: string | undefined, options: { write?: boolean; to?: string }) =>
      run(async (context) => (await import('./config-migrate.js')).configMigrate(context, file, options)),
    );
  config
    .command('template')
    .summary('print a commented block for a plugin')
    .description('print a configuration block for a plugin, generated from its library')
    .argument('<plugin>', 'name of a configured plugin, or path of a library')
    .action((which: string) =>
      run(async (context) => (await import('./config-template.js')).configTemplate(context, which)),
    );
}
