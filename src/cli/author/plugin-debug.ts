import { constants } from 'node:os';
import { attachesToChildrenOnly, seesDebuggers, untilContinued } from '../../authoring/debugger.js';
import { callPlugin } from '../../authoring/hook-call.js';
import { BackworksError, EXIT } from '../../errors.js';
import { readCall } from './call-arguments.js';
import { callJson, printCall } from './call-report.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { listenForInterrupt } from '../command/interrupt.js';
import { pluginSource } from '../command/plugin-argument.js';
import type { CallOptions } from './plugin-call.js';
import type { Screen } from '../terminal/screen.js';

export interface DebugOptions extends CallOptions {
  /** False to make the call at once. */
  readonly wait: boolean;
  /** Variables of the plugin's process, as NAME=VALUE. */
  readonly setenv?: readonly string[];
}

const DEFAULT_HOOK = 'process_endpoint';

/** `backworks plugin debug LIB [HOOK]`: waits for a debugger, then makes one call without sandbox and deadlines. */
export async function pluginDebug(
  context: CommandContext,
  which: string,
  [hook = DEFAULT_HOOK, operation]: readonly [hook: string | undefined, operation: string | undefined],
  given: DebugOptions,
): Promise<ExitCode> {
  const wish = await readCall(hook, operation, given);
  const variables = Object.fromEntries((given.setenv ?? []).map(variableOf));
  const source = await pluginSource(context, which, given.pluginConfig);
  const interrupt = listenForInterrupt();
  // The process waits for the debugger, which may hold it: nothing is left to wait for.
  interrupt.signal.addEventListener('abort', () =>
    process.exit(interrupt.exitCode() ?? 128 + constants.signals.SIGINT),
  );
  const { out, err } = context;
  const attach = async (pid: number): Promise<void> => {
    if (!given.wait) return;
    await explain(err, pid, hook === 'operation' ? 'call' : hook);
    if (await seesDebuggers()) await untilContinued(pid, interrupt.signal);
    else await enterPressed();
  };
  const environment = { ...source.environment, ...variables };
  const debugging = { attach, variables: Object.keys(variables) };
  const report = await callPlugin({ ...source, environment }, wish, debugging);
  if (context.json) out.line(callJson(report));
  else printCall(out, report);
  return report.failure === null ? EXIT.ok : report.failure.exitCode;
}

/** @throws BackworksError BW_USAGE */
function variableOf(text: string): [name: string, value: string] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new BackworksError('BW_USAGE', `--setenv expects NAME=VALUE, not ${JSON.stringify(text)}`);
}

async function explain(err: Screen, pid: number, breakpoint: string): Promise<void> {
  err.line(`process ${pid} waits for a debugger; nothing is loaded yet. In another terminal:`);
  const gdb = `gdb -p ${pid} -ex 'set breakpoint pending on' -ex 'break ${breakpoint}' -ex continue`;
  const lldb = `lldb -p ${pid} -o 'breakpoint set --name ${breakpoint}' -o continue`;
  for (const line of [gdb, lldb]) err.line(`  ${err.style('bold', line)}`);
  if (await seesDebuggers()) err.line('the call is made when the debugger lets the process continue');
  else err.line('press Enter when the debugger has attached');
  if (await attachesToChildrenOnly())
    err.line('this system lets only root attach: use sudo, or sudo sysctl kernel.yama.ptrace_scope=0');
}

function enterPressed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once('data', () => {
      process.stdin.pause();
      resolve();
    });
  });
}
