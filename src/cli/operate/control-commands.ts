import type { Command } from 'commander';
import type { Run } from '../command/command.js';
import type { ControlOptions } from './plugin-control.js';

const WRITE = ['--write', 'change the configuration file too, so that the change is permanent'] as const;

const COMMANDS = [
  ['unload', 'stop a plugin; --write removes its entry'],
  ['enable', 'start a disabled plugin'],
  ['disable', 'stop a plugin'],
  ['restart', 'replace the processes of a plugin while it serves'],
] as const;

/** Declares the commands below `backworks plugin` that change a running server. */
export function declareControl(plugin: Command, run: Run): void {
  plugin
    .command('load')
    .summary('start a plugin, or a library in a plugin directory')
    .description(
      'make the running server load a configured plugin, or a library in one of its plugin directories',
    )
    .argument('<which>', 'name of the plugin or of its file, or a path')
    .option(...WRITE)
    .action((which: string, options: { write?: boolean }) =>
      run(async (context) => (await import('./plugin-load.js')).pluginLoad(context, which, options)),
    );
  for (const [action, description] of COMMANDS) {
    const command = plugin
      .command(action)
      .description(description)
      .argument('<name>', 'name of the plugin')
      .action((name: string, options: ControlOptions) =>
        run(async (context) =>
          (await import('./plugin-control.js')).pluginControl(context, action, name, options),
        ),
      );
    if (action !== 'restart') command.option(...WRITE);
    if (action === 'unload' || action === 'disable')
      command.option('--force', 'stop the plugin even if endpoints need it');
  }
}
