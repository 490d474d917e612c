import type { Command } from 'commander';
import type { Run } from '../command/command.js';
import type { BuildOptions } from './plugin-build.js';
import type { CallOptions } from './plugin-call.js';
import type { DebugOptions } from './plugin-debug.js';
import type { DevOptions } from './plugin-dev.js';
import type { DocsOptions } from './plugin-docs.js';
import type { InstallOptions } from './plugin-install.js';
import type { SdkOptions } from './sdk.js';

const PLUGIN_CONFIG = ['--plugin-config <file>', 'configuration of the plugin, as YAML or JSON'] as const;
const WHICH = ['<which>', 'path of a shared library, or name of a configured plugin'] as const;

/** Declares the commands below `backworks plugin` for somebody who writes a plugin. */
export function declareAuthoring(plugin: Command, run: Run): void {
  declareCall(plugin, run);
  declareInspection(plugin, run);
  declareInstall(plugin, run);
  declareBuild(plugin, run);
  declareDev(plugin, run);
  declareDebug(plugin, run);
}

/** Declares `backworks sdk`. */
export function declareSdk(program: Command, run: Run): void {
  program
    .command('sdk')
    .summary('print where the SDKs are, for build tools')
    .description('print where the SDKs for plugins are, for the build tools of each language')
    .option('--cflags', 'flags for a C or C++ compiler')
    .option('--include', 'directory of the headers')
    .option('--pkgconfig', 'directory for PKG_CONFIG_PATH')
    .option('--cmake', 'directory for CMAKE_PREFIX_PATH')
    .option('--rust', 'the crate')
    .option('--go', 'the Go module')
    .option('--zig', 'the Zig package')
    .addHelpText('after', examples(SDK_EXAMPLES, ''))
    .action((wanted: SdkOptions) => run(async (context) => (await import('./sdk.js')).sdk(context, wanted)));
}

function declareCall(plugin: Command, run: Run): void {
  const call = plugin
    .command('call')
    .summary('call one hook of a plugin and show what it does')
    .description('start a plugin in its sandbox, call one hook once, and show the documents before and after')
    .argument(...WHICH)
    .argument('<hook>', 'before_request, process_endpoint, after_response, or operation with a name')
    .argument('[operation]', 'name of the operation');
  declareDocument(call)
    .option(...PLUGIN_CONFIG)
    .addHelpText('after', examples(CALL_EXAMPLES))
    .action((which: string, hook: string, operation: string | undefined, given: CallOptions) =>
      run(async (context) =>
        (await import('./plugin-call.js')).pluginCall(context, which, [hook, operation], given),
      ),
    );
}

function declareInspection(plugin: Command, run: Run): void {
  plugin
    .command('inspect')
    .summary('show the facts of a library and its metadata')
    .description('show the facts of a file and, if it is a plugin, what it says about itself')
    .argument('<library>', 'path of a shared library')
    .addHelpText(
      'after',
      examples(['plugin inspect ./libweather.so', 'plugin inspect ./libweather.so --json']),
    )
    .action((library: string) =>
      run(async (context) => (await import('./plugin-inspect.js')).pluginInspect(context, library)),
    );
  plugin
    .command('docs')
    .summary('write a page about a plugin, in Markdown or HTML')
    .description('write a page about a plugin: its hooks, operations, configuration and permissions')
    .argument('<library>', 'path of a shared library')
    .option('--format <format>', 'md or html (default: as the name of the file says, else md)')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .addHelpText(
      'after',
      examples(['plugin docs ./libweather.so', 'plugin docs ./libweather.so -o weather.html']),
    )
    .action((library: string, given: DocsOptions) =>
      run(async (context) => (await import('./plugin-docs.js')).pluginDocs(context, library, given)),
    );
}

function declareInstall(plugin: Command, run: Run): void {
  plugin
    .command('install')
    .summary('copy a library to a directory of plugins')
    .description('check a library and copy it to a directory of plugins')
    .argument('<path>', 'path of a shared library')
    .option('--to <directory>', 'directory (default: the first of plugins.auto_discover, else ./plugins)')
    .option('--force', 'replace another file, or another version of the plugin')
    .addHelpText(
      'after',
      examples(['plugin install build/libweather.so', 'plugin install libweather.so --to /srv/plugins']),
    )
    .action((path: string, given: InstallOptions) =>
      run(async (context) => (await import('./plugin-install.js')).pluginInstall(context, path, given)),
    );
}

function declareBuild(plugin: Command, run: Run): void {
  plugin
    .command('build')
    .summary('build a plugin with the tool of its language')
    .description('build a plugin with the tool of its language, and check the library')
    .argument('[directory]', 'directory with the sources', '.')
    .option('--release', 'optimized (default)')
    .option('--debug', 'for a debugger')
    .option('--target <target>', 'system to build for, such as aarch64-linux-gnu.2.17; needs zig')
    .addHelpText('after', examples(BUILD_EXAMPLES) + TARGETS)
    .action((directory: string, given: BuildOptions) =>
      run(async (context) => (await import('./plugin-build.js')).pluginBuild(context, directory, given)),
    );
}

function declareDev(plugin: Command, run: Run): void {
  plugin
    .command('dev')
    .summary('build and swap a plugin after each change')
    .description('build a plugin after each change of its sources, and swap it into a server')
    .argument('[directory]', 'directory with the sources', '.')
    .option('--plugin <name>', 'name of the plugin (default: the one whose library is built)')
    .option('--release', 'build optimized libraries')
    .addHelpText('after', examples(['plugin dev', 'plugin dev hello --config backworks.yaml']))
    .action((directory: string, given: DevOptions) =>
      run(async (context) => (await import('./plugin-dev.js')).pluginDev(context, directory, given)),
    );
}

function declareDebug(plugin: Command, run: Run): void {
  const debug = plugin
    .command('debug')
    .summary('call one hook of a plugin under a debugger')
    .description('wait for a debugger, then call one hook of a plugin without sandbox and deadlines')
    .argument(...WHICH)
    .argument('[hook]', 'as for plugin call (default: process_endpoint)')
    .argument('[operation]', 'name of the operation');
  declareDocument(debug)
    .option(...PLUGIN_CONFIG)
    .option('--setenv <name=value>', "variable of the plugin's process; may be repeated", collect)
    .option('--no-wait', 'make the call at once, without a debugger')
    .addHelpText(
      'after',
      examples([
        'plugin debug ./libweather.so process_endpoint --path /weather/Oslo',
        'plugin debug ./libauth.so before_request --plugin-config auth.yaml',
      ]),
    )
    .action((which: string, hook: string | undefined, operation: string | undefined, given: DebugOptions) =>
      run(async (context) =>
        (await import('./plugin-debug.js')).pluginDebug(context, which, [hook, operation], given),
      ),
    );
}

/** Options that make the document of a call. */
function declareDocument(command: Command): Command {
  return command
    .option('--data <data>', 'body of the document: text, @FILE, or - for standard input')
    .option('--method <method>', 'method of the request (default: GET, or POST with --data)')
    .option('--path <path>', 'path and query of the request (default: /, or a path of its endpoint)')
    .option('--route <path>', 'path of the endpoint, such as /weather/{city}; it fills params')
    .option('--header <header>', 'header "name: value"; may be repeated', collect)
    .option('--status <status>', 'status of the response that after_response gets', '200')
    .option('--context <json>', 'context that earlier plugins left, as a JSON object');
}

const CALL_EXAMPLES = [
  "plugin call ./libweather.so process_endpoint --path '/weather/Oslo' --route '/weather/{city}'",
  'plugin call ./libauth.so before_request --header "authorization: Bearer x" --plugin-config auth.yaml',
  `plugin call ./libstamp.so after_response --status 404 --data '{"error":"not found"}'`,
  'plugin call weather operation weather.lookup --data @city.json --config backworks.yaml',
];

const BUILD_EXAMPLES = [
  'plugin build',
  'plugin build hello --debug',
  'plugin build hello --target aarch64-linux-musl',
];
const TARGETS = `

Targets:
  x86_64-linux-gnu.2.17, x86_64-linux-musl, x86_64-windows-gnu, x86_64-macos, and the same with
  aarch64. The number is the oldest glibc that the library runs on.`;

const SDK_EXAMPLES = [
  'cc -shared -fPIC $(backworks sdk --cflags) -o libhello.so hello.c',
  'cmake -B build -DCMAKE_PREFIX_PATH="$(backworks sdk --cmake)"',
];

function examples(lines: readonly string[], program = 'backworks '): string {
  return `\nExamples:\n${lines.map((line) => `  ${program}${line}`).join('\n')}`;
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];
