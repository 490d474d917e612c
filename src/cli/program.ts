import { Command, CommanderError, type HelpConfiguration } from 'commander';
import { BackworksError, EXIT } from '../errors.js';
import type { CommandContext, ExitCode, Run } from './command/command.js';
import { declareAuthoring, declareSdk } from './author/author-commands.js';
import { declareVersions } from './operate/version-commands.js';
import { declareConfig } from './config/config-commands.js';
import { declareControl } from './operate/control-commands.js';
import { declareNew } from './author/new-command.js';
import { reportFailure } from './command/failure.js';
import type { ValidateArguments } from './author/plugin-validate.js';
import type { ProfileArguments } from './author/plugin-profile.js';

const EXIT_CODES = `
Exit codes:
  ${EXIT.ok}    success; a server that was asked to stop has stopped
  ${EXIT.failure}    failure, such as an address that is taken
  ${EXIT.usage}    wrong arguments
  ${EXIT.config}    the configuration is missing or invalid
  ${EXIT.plugin}    a plugin is invalid or fails, or a critical one does not start
  130  a second SIGINT ended the server (143: a second SIGTERM)

Environment:
  BACKWORKS_CONFIG  configuration file, if --config is not given
  BACKWORKS_ENV     environment, if --env is not given
  BACKWORKS_SET     values as for --set, one per line; --set takes precedence
  BACKWORKS_ADMIN_URL    admin API of the running server, if neither --url nor --config is given
  BACKWORKS_ADMIN_TOKEN  token for the admin API, if --token is not given
  NO_COLOR, FORCE_COLOR`;

/** What the process supplies to a command. The rest of the context comes from the command line. */
export type Surroundings = Pick<CommandContext, 'out' | 'err' | 'env' | 'version'>;

interface GlobalOptions {
  readonly config?: string;
  readonly env?: string;
  readonly set?: readonly string[];
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Runs one command line, given without the program's name, and resolves to its exit code. Never rejects. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const program = new Command('backworks');
  const context = (): CommandContext => {
    const { config, env, set, url, token, json = false, verbose = false } = program.opts<GlobalOptions>();
    return { ...surroundings, config, environment: env, set: set ?? [], url, token, json, verbose };
  };
  let code: ExitCode = EXIT.ok;
  declare(program, surroundings, async (command) => {
    code = await command(context());
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return reportFailure(thrown, context());
    if (thrown.exitCode === 0) return EXIT.ok;
    // "backworks" without arguments has printed its help, which says more than an error.
    if (thrown.code === 'commander.help') return EXIT.usage;
    return reportFailure(usageError(thrown, program), context());
  }
}

function declare(program: Command, { out, err, version }: Surroundings, run: Run): void {
  program
    .description('HTTP server that runs requests through native plugins, each in a crash-safe process.')
    .version(version)
    .option('-c, --config <file>', 'configuration file (default: ./backworks.yaml, then ./backworks.yml)')
    .option('--env <name>', 'environment of the configuration file whose overlay applies')
    .option('--set <path=value>', 'set one value, such as server.port=9000; may be repeated', collect)
    .option('--url <url>', 'admin API of a running server, instead of a configuration file')
    .option('--token <token>', 'token for the admin API (safer: BACKWORKS_ADMIN_TOKEN)')
    .option('--json', 'print results and errors as JSON on standard output')
    .option('--verbose', 'show the stack trace of an error')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('after', EXIT_CODES);
  declareServer(program, run);
  const plugin = program.command('plugin').description('inspect and control plugins');
  declareNew(plugin, run);
  declarePlugins(plugin, run);
  declareControl(plugin, run);
  declareVersions(plugin, run);
  declareAuthoring(plugin, run);
  declareConfig(program, run);
  declareSdk(program, run);
  // Must come last: subcommands copy the help settings when they are declared.
  program.configureHelp(PROGRAM_HELP);
}

function declareServer(program: Command, run: Run): void {
  // Commands are imported when they run: checking a configuration needs no native code.
  program
    .command('start')
    .description('run the server until SIGTERM or SIGINT')
    .action(() => run(async (context) => (await import('./serve/start.js')).start(context)));

  program
    .command('reload')
    .summary('reload the configuration of the server')
    .description('make the running server reload its changed configuration')
    .option('--dry-run', 'only show what would change')
    .action(({ dryRun = false }: { dryRun?: boolean }) =>
      run(async (context) => (await import('./operate/reload.js')).reload(context, { dryRun })),
    );
}

function declarePlugins(plugin: Command, run: Run): void {
  plugin
    .command('list')
    .summary('list plugins and their states')
    .description('list plugins and their states, from the running server or from disk')
    .action(() => run(async (context) => (await import('./operate/plugin-list.js')).pluginList(context)));
  plugin
    .command('validate')
    .summary('check libraries with ordinary, hostile and random input')
    .description('check libraries, each check in its own sandboxed process')
    .argument('<which...>', 'paths of shared libraries, or names of configured plugins')
    .option('--plugin-config <file>', 'configuration of the plugin, as YAML or JSON')
    .option('--seconds <number>', 'random input for each hook for so long, instead of --cases')
    .option('--cases <number>', 'random inputs for each hook (default: 1000)')
    .option('--seed <number>', 'another sequence of random inputs (default: 1)')
    .option('--quick', 'only ordinary input')
    .option('--save-input <dir>', 'write the inputs that lead to findings to files')
    .option('--junit <file>', 'also write a report for CI systems, in the form of JUnit')
    .option('--without-sandbox', 'also run valgrind, in a process without a sandbox: for libraries you trust')
    .option('--strict', 'fail when a check could not run')
    .action((which: string[], given: ValidateArguments) =>
      run(async (context) =>
        (await import('./author/plugin-validate.js')).pluginValidate(context, which, given),
      ),
    );

  plugin
    .command('status')
    .summary('show everything known about a plugin')
    .description('show everything known about a plugin: sandbox, limits, processes, failures')
    .argument('<name>', 'name of the plugin')
    .action((name: string) =>
      run(async (context) => (await import('./operate/plugin-status.js')).pluginStatus(context, name)),
    );
  plugin
    .command('profile')
    .summary('measure what a plugin costs, and whether it leaks')
    .description('measure what each hook of a plugin costs, and whether it leaks')
    .argument('<which>', 'name of the plugin, or path of a shared library')
    .option('--requests <file>', 'recorded requests: a HAR file or JSON Lines (default: generated requests)')
    .option('--seconds <number>', 'seconds for each of the two measurements of a hook', '2')
    .option('--concurrency <number>', 'calls in flight during the second measurement', '64')
    .option('--svg <file>', 'draw a chart of where the time of calls goes')
    .action((which: string, given: ProfileArguments) =>
      run(async (context) =>
        (await import('./author/plugin-profile.js')).pluginProfile(context, which, given),
      ),
    );
  plugin
    .command('release')
    .description('release a plugin from quarantine')
    .argument('<which>', "name of the plugin, or the beginning of its library's digest")
    .action((which: string) =>
      run(async (context) => (await import('./operate/plugin-release.js')).pluginRelease(context, which)),
    );
}

/** The program's help lists every command by its full name. */
const PROGRAM_HELP: HelpConfiguration = {
  showGlobalOptions: true,
  visibleCommands: leaves,
  subcommandTerm: (command) => nameOf(command).join(' '),
};

function leaves(command: Command): Command[] {
  return command.commands.flatMap((each) => (each.commands.length === 0 ? [each] : leaves(each)));
}

/** The command's name without the program's name. */
function nameOf(command: Command): string[] {
  return command.parent === null ? [] : [...nameOf(command.parent), command.name()];
}

/** `plugin list` for `list`; the name itself when it is no command, or one with a name that others have too. */
function fullName(program: Command, name: string): string {
  const [command, other] = leaves(program).filter((each) => each.name() === name);
  return command === undefined || other !== undefined ? name : nameOf(command).join(' ');
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

/** Converts commander's message to the format of every other error. A suggested command gets its full name. */
function usageError({ message }: CommanderError, program: Command): BackworksError {
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n');
  const hint = suggestion?.replace(/^\(Did you mean (.*)\?\)$/, (_whole, names: string) => {
    const full = names.replace(/[\w-]+/g, (name) => fullName(program, name));
    return `did you mean ${full}?`;
  });
  return new BackworksError('BW_USAGE', what, {
    hint: hint ?? 'see backworks --help',
  });
}
