import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { validateConfigured, validatePlugin } from '../../backworks.js';
import { readPluginConfig } from '../../config/load/plugin-config-file.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CheckOutcome, ValidationCheck, ValidationReport } from '../../plugins/validate.js';
import { printBacktrace } from '../terminal/backtrace.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { isLibraryPath } from '../command/library-path.js';
import { cellText, printJson } from '../terminal/print.js';
import type { Screen, Style } from '../terminal/screen.js';

const MARKS: Readonly<Record<CheckOutcome, readonly [mark: string, style: Style]>> = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  crashed: ['✗', 'red'],
  timeout: ['✗', 'red'],
  skipped: ['-', 'yellow'],
};

export interface ValidateArguments {
  /** A file with the `config:` block of the plugin. */
  readonly pluginConfig?: string;
}

/**
 * `backworks plugin validate PATH|NAME…`: validates plugins one after the other, so that they do not disturb
 * each other's timings. A library path runs with the default policy, a configured plugin with its own.
 */
export async function pluginValidate(
  context: CommandContext,
  which: readonly string[],
  { pluginConfig }: ValidateArguments = {},
): Promise<ExitCode> {
  if (pluginConfig !== undefined && which.length > 1)
    throw new BackworksError('BW_USAGE', '--plugin-config works with one plugin only');
  const block =
    pluginConfig === undefined ? undefined : await readPluginConfig(resolve(pluginConfig), context.env);
  const reports: ValidationReport[] = [];
  for (const each of which) {
    const report =
      isLibraryPath(each) || existsSync(each)
        ? await validatePlugin(resolve(each), block)
        : await validateConfigured((await readConfig(context)).config, each, context.env, block);
    reports.push(report);
    if (!context.json) printReport(context.out, report);
  }
  const valid = reports.filter(({ ok }) => ok).length;
  const ok = valid === reports.length;
  if (context.json) printJson(context.out, { ok, plugins: reports.map(reportDocument) });
  else if (reports.length > 1) context.out.line(`${valid} of ${reports.length} plugins are valid`);
  return ok ? EXIT.ok : EXIT.plugin;
}

function printReport(out: Screen, report: ValidationReport): void {
  const { path, checks, metadata } = report;
  out.line(`${out.style('bold', cellText(path))}: ${verdict(out, report)}`);
  if (metadata !== null) {
    const { name, version, description } = metadata;
    out.line(`  ${cellText(`${name} ${version}: ${description}`)}`);
  }
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const check of checks) printCheck(out, check, width);
}

function verdict(out: Screen, { ok, started, checks }: ValidationReport): string {
  if (ok) return out.style('green', 'valid');
  const isUndecided =
    !started && checks.every(({ outcome }) => !['failed', 'crashed', 'timeout'].includes(outcome));
  if (isUndecided) return out.style('yellow', 'not checked: the plugin did not start, so no hook was called');
  return out.style('red', 'invalid');
}

function printCheck(out: Screen, check: ValidationCheck, width: number): void {
  const { name, outcome, detail, hint, stderr, backtrace, durationMs } = check;
  const [mark, style] = MARKS[outcome];
  const result = `${out.style(style, `${mark} ${outcome.padEnd(7)}`)} ${name.padEnd(width)}`;
  out.line(`  ${result}  ${cellText(detail)} ${out.style('dim', `(${durationMs.toFixed(1)} ms)`)}`);
  printBacktrace(out, backtrace);
  for (const line of stderr) out.line(`    ${out.style('dim', `| ${cellText(line)}`)}`);
  if (hint !== null) out.line(`    ${out.style('dim', cellText(hint))}`);
}

function reportDocument({ path, ok, started, checks, metadata }: ValidationReport): object {
  return {
    path,
    ok,
    started,
    checks: checks.map(({ name, outcome, detail, hint, stderr, backtrace, durationMs }) => ({
      name,
      outcome,
      detail,
      hint,
      stderr,
      backtrace,
      duration_ms: Math.round(durationMs * 1000) / 1000,
    })),
    metadata: metadata && {
      name: metadata.name,
      version: metadata.version,
      description: metadata.description,
      hooks: [...metadata.hooks],
    },
  };
}
