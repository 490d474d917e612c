import type { Command } from 'commander';
import type { Run } from './command.js';
import type { CallOptions } from './plugin-call.js';

const PLUGIN_CONFIG = ['--plugin-config <file>', 'configuration of the plugin, as YAML or JSON'] as const;
const WHICH = ['<which>', 'path of a shared library, or name of a configured plugin'] as const;

/** Declares the commands below `backworks plugin` for somebody who writes a plugin. */
export function declareAuthoring(plugin: Command, run: Run): void {
  declareCall(plugin, run);
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

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  backworks ${line}`).join('\n')}`;
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];
