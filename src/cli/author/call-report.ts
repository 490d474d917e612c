import { structuredPatch } from 'diff';
import type { CallReport } from '../../authoring/hook-call.js';
import { type BackworksError, PluginFailure } from '../../errors.js';
import { oneLine } from '../../printable.js';
import { jsonLines, jsonObject } from '../terminal/json-lines.js';
import { printBacktrace } from '../terminal/backtrace.js';
import { cellText } from '../terminal/print.js';
import type { Screen } from '../terminal/screen.js';

const UNCHANGED_LINES = 3;

/** Prints a call: what the plugin got, answered and changed, what it logged, and how long it took. */
export function printCall(screen: Screen, report: CallReport): void {
  const { name, metadata, failure } = report;
  const title = cellText(metadata === null ? name : `${name} ${metadata.version}`);
  screen.line(`${screen.style('bold', title)}: ${verdict(screen, report)}`);
  if (report.given !== null) section(screen, `given to ${functionOf(report)}`, report.given);
  if (failure !== null) printFailure(screen, failure);
  else if (report.answer !== null) section(screen, 'answer', report.answer);
  if (report.given !== null && report.after !== null) printChange(screen, report.given, report.after);
  printLines(
    screen,
    'log',
    report.log.map(({ level, source, text }) => `${level} ${source}  ${text}`),
  );
  printLines(
    screen,
    'metrics',
    Object.entries(report.metrics).map(([counter, sum]) => `${counter} +${sum}`),
  );
  printLines(screen, 'refused by the sandbox', report.refusals.map(refusal));
}

function functionOf({ hook, operation, endpoint }: CallReport): string {
  if (endpoint !== null) return `${hook}(${JSON.stringify(endpoint.route)}, "${endpoint.method}")`;
  return operation === null ? hook : `operation ${operation}`;
}

function verdict(screen: Screen, report: CallReport): string {
  const { failure, answer, given, durationMs, ownMs, deadlineMs, hook } = report;
  const time = durationMs === null ? '' : ` ${timing(durationMs, ownMs)}`;
  if (failure !== null) {
    const what = given === null ? 'did not start' : 'failed';
    return `${screen.style('red', what)}${time}`;
  }
  const late =
    durationMs !== null && deadlineMs !== null && durationMs > deadlineMs
      ? screen.style('yellow', `; a server stops it after ${deadlineMs} ms (timeouts.call)`)
      : '';
  const nothing =
    hook === 'process_endpoint' ? 'NULL: it does not answer this request' : 'NULL: nothing changes';
  return `${answer === null ? screen.style('yellow', nothing) : screen.style('green', 'answered')}${time}${late}`;
}

function timing(durationMs: number, ownMs: number | null): string {
  const own = ownMs === null ? '' : `, of which ${ownMs.toFixed(3)} ms in the plugin`;
  return `in ${durationMs.toFixed(2)} ms${own}`;
}

function section(screen: Screen, title: string, json: string): void {
  screen.line(screen.style('bold', cellText(title)));
  for (const line of jsonLines(json)) screen.line(`  ${oneLine(line)}`);
}

function printChange(screen: Screen, before: string, after: string): void {
  const [was, is] = [before, after].map((json) => `${jsonLines(json).join('\n')}\n`) as [string, string];
  const { hunks } = structuredPatch('', '', was, is, '', '', { context: UNCHANGED_LINES });
  screen.line(screen.style('bold', 'after the patch'));
  if (hunks.length === 0) screen.line('  as before: the patch repeats what the document says');
  hunks.forEach((hunk, index) => {
    if (index > 0) screen.line(screen.style('dim', '  …'));
    for (const line of hunk.lines) screen.line(`  ${changedLine(screen, oneLine(line))}`);
  });
}

function changedLine(screen: Screen, line: string): string {
  if (line.startsWith('+')) return screen.style('green', line);
  return line.startsWith('-') ? screen.style('red', line) : line;
}

function printLines(screen: Screen, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  screen.line(screen.style('bold', title));
  for (const line of lines) screen.line(`  ${oneLine(line)}`);
}

function refusal({ permission, function: name, object, times }: CallReport['refusals'][number]): string {
  const what = object === null ? name : `${name} ${object}`;
  const needs = permission === null ? 'no permission allows it' : `permission ${permission} would allow it`;
  return `${what}${times > 1 ? ` (${times} times)` : ''}: ${needs}`;
}

function printFailure(screen: Screen, error: BackworksError): void {
  const { code, message, hint } = error;
  screen.line(screen.style('bold', 'failure'));
  const advice = hint === undefined ? '' : screen.style('dim', ` — ${cellText(hint)}`);
  screen.line(`  ${screen.style(['red', 'bold'], code)}: ${cellText(message)}${advice}`);
  if (!(error instanceof PluginFailure)) return;
  const facts = Object.entries(failureFacts(error)).filter(([, value]) => value !== null);
  screen.line(
    `  ${cellText(facts.map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`).join(', '))}`,
  );
  printBacktrace(screen, error.backtrace, '  ');
  for (const line of error.stderrTail) screen.line(`  ${screen.style('dim', `| ${cellText(line)}`)}`);
}

function failureFacts(error: PluginFailure): Record<string, string | number | null> {
  return {
    phase: error.phase,
    signal: error.signal ?? null,
    exit_status: error.exitStatus ?? null,
    at: error.at ?? null,
    system_call: error.systemCall ?? null,
  };
}

/** The report as JSON. The documents are written as they are, so that numbers keep their digits. */
export function callJson(report: CallReport): string {
  const { failure, metadata, endpoint, hook, operation } = report;
  const value = (any: unknown): string => JSON.stringify(any);
  return jsonObject({
    ok: value(failure === null),
    plugin: value(report.name),
    version: value(metadata?.version ?? null),
    hook: value(hook),
    operation: value(operation),
    endpoint: value(endpoint),
    given: report.given ?? 'null',
    answer: report.answer ?? 'null',
    after: report.after ?? 'null',
    duration_ms: value(rounded(report.durationMs)),
    plugin_ms: value(rounded(report.ownMs)),
    deadline_ms: value(report.deadlineMs),
    error: value(failure && errorDocument(failure)),
    log: value(report.log),
    metrics: value(report.metrics),
    refusals: value(report.refusals),
  });
}

function rounded(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds * 1000) / 1000;
}

function errorDocument(error: BackworksError): object {
  const { code, message, hint = null } = error;
  if (!(error instanceof PluginFailure)) return { code, message, hint };
  return {
    code,
    message,
    hint,
    ...failureFacts(error),
    backtrace: error.backtrace,
    stderr: error.stderrTail,
  };
}
