import { join } from 'node:path';
import type { CheckInput, CheckOutcome, ValidationCheck } from '../../validation/report.js';
import type { ValidationReport } from '../../validation/validate.js';
import { printBacktrace } from '../terminal/backtrace.js';
import { cellText } from '../terminal/print.js';
import type { Screen, Style } from '../terminal/screen.js';

const MARKS: Readonly<Record<CheckOutcome, readonly [mark: string, style: Style]>> = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  crashed: ['✗', 'red'],
  timeout: ['✗', 'red'],
  skipped: ['-', 'yellow'],
  unavailable: ['-', 'dim'],
};
/** A longer document is not printed whole. */
const DOCUMENT_LENGTH_MAX = 400;

/** @param saved the directory with the saved inputs; null when they are not saved */
export function printReport(out: Screen, report: ValidationReport, saved: string | null): void {
  const { path, checks, metadata } = report;
  out.line(`${out.style('bold', cellText(path))}: ${verdict(out, report)}`);
  if (metadata !== null) {
    const { name, version, description } = metadata;
    out.line(`  ${cellText(`${name} ${version}: ${description}`)}`);
  }
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const check of checks) {
    printCheck(out, check, width);
    if (check.input === null) continue;
    const file = saved === null ? null : join(saved, saveName(report, check.name));
    printInput(out, check.input, path, file);
  }
}

/** The name of the files with the input of a check, without extension. */
export function saveName({ metadata }: Pick<ValidationReport, 'metadata'>, check: string): string {
  return [metadata?.name ?? 'plugin', check].join('-').replace(/[^\w.]+/g, '-');
}

function verdict(out: Screen, { evidence }: ValidationReport): string {
  if (evidence.verdict === 'valid') return out.style('green', 'valid');
  if (evidence.verdict === 'invalid') return out.style('red', 'invalid');
  return out.style('yellow', 'not checked: the plugin did not start, so no hook was called');
}

function printCheck(out: Screen, check: ValidationCheck, width: number): void {
  const { name, outcome, detail, hint, stderr, backtrace, durationMs } = check;
  const [mark, style] = MARKS[outcome];
  const result = `${out.style(style, `${mark} ${outcome.padEnd(7)}`)} ${cellText(name).padEnd(width)}`;
  out.line(`  ${result}  ${cellText(detail)} ${out.style('dim', `(${durationMs.toFixed(1)} ms)`)}`);
  printBacktrace(out, backtrace);
  for (const line of stderr) out.line(`    ${out.style('dim', `| ${cellText(line)}`)}`);
  if (hint !== null) out.line(`    ${out.style('dim', cellText(hint))}`);
}

/** The input of a finding, and how to make the call again. */
function printInput(out: Screen, input: CheckInput, path: string, file: string | null): void {
  const { document, call, alone } = input;
  const isLong = document.length > DOCUMENT_LENGTH_MAX;
  const shown = isLong
    ? `${document.slice(0, DOCUMENT_LENGTH_MAX)}… (${document.length} characters)`
    : document;
  out.line(`    ${out.style('dim', `input: ${cellText(shown)}`)}`);
  if (!alone)
    out.line(`    ${out.style('dim', 'this input alone is not enough: the calls before it matter')}`);
  if (file === null) {
    out.line(`    ${out.style('dim', '--save-input DIR writes it to a file')}`);
    return;
  }
  out.line(`    ${out.style('dim', `saved as ${cellText(file)}.json`)}`);
  if (call === null || !alone) return;
  const words = call.map((word) => (word === '@input.body' ? `@${file}.body` : word)).map(quoted);
  out.line(`    ${out.style('dim', cellText(`backworks plugin call ${quoted(path)} ${words.join(' ')}`))}`);
}

/** A word for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
