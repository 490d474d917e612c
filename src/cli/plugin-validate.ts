import { resolve } from 'node:path';
import { validatePlugin } from '../backworks.js';
import { EXIT } from '../errors.js';
import type { CheckOutcome, ValidationReport } from '../plugins/validate.js';
import type { CommandContext, ExitCode } from './command.js';
import { printJson } from './print.js';
import { printable, type Screen, type Style } from './screen.js';

const MARKS: Readonly<Record<CheckOutcome, readonly [mark: string, style: Style]>> = {
  passed: ['✓', 'green'],
  failed: ['✗', 'red'],
  crashed: ['✗', 'red'],
  skipped: ['-', 'yellow'],
};

/** `backworks plugin validate PATH…`: one library after the other, so that their times mean something. */
export async function pluginValidate(context: CommandContext, paths: readonly string[]): Promise<ExitCode> {
  const reports: ValidationReport[] = [];
  for (const path of paths) {
    const report = await validatePlugin(resolve(path));
    reports.push(report);
    if (!context.json) printReport(context.out, report);
  }
  const valid = reports.filter(({ ok }) => ok).length;
  const ok = valid === reports.length;
  if (context.json) printJson(context.out, { ok, plugins: reports.map(reportDocument) });
  else if (reports.length > 1) context.out.line(`${valid} of ${reports.length} plugins are valid`);
  return ok ? EXIT.ok : EXIT.plugin;
}

function printReport(out: Screen, { path, ok, checks, metadata }: ValidationReport): void {
  const skipped = checks.filter(({ outcome }) => outcome === 'skipped').length;
  const proviso = skipped === 0 ? '' : ' as far as it could be checked';
  const verdict = ok ? out.style('green', `valid${proviso}`) : out.style('red', 'invalid');
  out.line(`${out.style('bold', printable(path))}: ${verdict}`);
  if (metadata !== null) {
    const { name, version, description } = metadata;
    out.line(printable(`  ${name} ${version}: ${description}`));
  }
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, outcome, detail, hint, durationMs } of checks) {
    const [mark, style] = MARKS[outcome];
    const result = `${out.style(style, `${mark} ${outcome.padEnd(7)}`)} ${name.padEnd(width)}`;
    out.line(`  ${result}  ${printable(detail)} ${out.style('dim', `(${durationMs.toFixed(1)} ms)`)}`);
    if (hint !== null) out.line(`    ${out.style('dim', printable(hint))}`);
  }
}

function reportDocument({ path, ok, checks, metadata }: ValidationReport): object {
  return {
    path,
    ok,
    checks: checks.map(({ name, outcome, detail, hint, durationMs }) => ({
      name,
      outcome,
      detail,
      hint,
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
