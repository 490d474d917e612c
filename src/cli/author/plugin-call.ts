import { callPlugin } from '../../authoring/hook-call.js';
import { EXIT } from '../../errors.js';
import { type CallArguments, readCall } from './call-arguments.js';
import { callJson, printCall } from './call-report.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { jsonLines } from '../terminal/json-lines.js';
import { pluginSource } from '../command/plugin-argument.js';

export interface CallOptions extends CallArguments {
  /** A file with the `config:` block of the plugin. */
  readonly pluginConfig?: string;
}

/** `backworks plugin call LIB|NAME HOOK`: one call of one function, as a server makes it. */
export async function pluginCall(
  context: CommandContext,
  which: string,
  [hook, operation]: readonly [hook: string, operation: string | undefined],
  given: CallOptions,
): Promise<ExitCode> {
  const wish = await readCall(hook, operation, given);
  const report = await callPlugin(await pluginSource(context, which, given.pluginConfig), wish);
  const { out } = context;
  if (!context.json) printCall(out, report);
  else for (const line of out.terminal ? jsonLines(callJson(report)) : [callJson(report)]) out.line(line);
  return report.failure === null ? EXIT.ok : report.failure.exitCode;
}
