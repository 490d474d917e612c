import { formatSize } from '../../config/source/units.js';
import type {
  FailureDocument,
  LimitsDocument,
  NeedDocument,
  PluginDocument,
  RefusalDocument,
} from '../../admin/plugin-document.js';
import { missingPermissionSentence } from '../../plugins/permissions.js';
import { printBacktrace } from '../terminal/backtrace.js';
import { STATE_STYLES } from '../terminal/plugin-table.js';
import { cellText } from '../terminal/print.js';
import { type Screen } from '../terminal/screen.js';

const LABEL_WIDTH = 12;
const MIB = 1024 ** 2;

/** Prints everything known about one plugin: one line per topic, several lines for a list. */
export function printPlugin(screen: Screen, plugin: PluginDocument): void {
  const { name, version, state, since, reason } = plugin;
  const title = screen.style('bold', cellText(version === null ? name : `${name} ${version}`));
  screen.line(`${title}: ${screen.style(STATE_STYLES[state], state)} since ${since}`);
  for (const [label, lines] of sections(plugin, reason)) {
    for (const [index, line] of lines.entries()) {
      const head = (index === 0 ? label : '').padEnd(LABEL_WIDTH);
      screen.line(`  ${screen.style('dim', head)} ${cellText(line)}`);
    }
  }
  for (const failure of plugin.failures) printFailure(screen, failure);
}

function sections(plugin: PluginDocument, reason: string | null): [label: string, lines: string[]][] {
  const { sandbox, critical, on_failure: onFailure, priority, body, hooks, calls, processes } = plugin;
  const states = Object.entries(sandbox.states).map(([mechanism, state]) => `${mechanism} ${state}`);
  const kept = plugin.isolation === 'process' ? `process, sandbox ${sandbox.mode}` : plugin.isolation;
  const position = plugin.order === null ? '' : `, position ${plugin.order} in the order of plugins`;
  return [
    ['reason', reason === null ? [] : [reason]],
    ['about', plugin.description === null ? [] : [plugin.description]],
    ['library', plugin.path === null ? [] : [plugin.path]],
    ['sha256', plugin.digest === null ? [] : [plugin.digest]],
    ['isolation', [kept]],
    ['sandbox', states.length === 0 ? [] : [states.join(', ')]],
    ['lacks', sandbox.missing],
    [
      'permissions',
      plugin.missing_permissions.map((missing) => missingPermissionSentence(plugin.name, missing)),
    ],
    ['refused', plugin.refusals.map(refusal)],
    ['limits', [limits(plugin.limits)]],
    ['hooks', [hooks.join(', ') || 'none']],
    ['run for', [plugin.hook_scope === 'all' ? 'all requests' : 'the endpoints that list the plugin']],
    ['critical', [`${critical ? 'yes' : 'no'}, priority ${priority}${position}`]],
    ['on failure', [onFailure]],
    ['fails open', failsOpen(plugin)],
    ['bodies', [`request ${body.request}, response ${body.response}`]],
    ['needs', plugin.needs.map((needed) => need(needed, plugin.state))],
    ['needed by', plugin.needed_by.map(({ name, optional }) => (optional ? `${name} (optional)` : name))],
    ['circuit', [plugin.circuit]],
    [
      'calls',
      Object.entries(calls).map(([hook, count]) => `${hook} ${count.calls} (${count.failed} failed)`),
    ],
    ['processes', processes.map(processLine)],
  ];
}

function failsOpen({ fails_open: open, has_denied: denied, name }: PluginDocument): string[] {
  if (!open) return [];
  if (!denied) return ['when it fails, requests pass without it'];
  return [
    `it denies requests, and when it fails, requests pass without it; set plugins.${name}.on_failure: refuse`,
  ];
}

function need(needed: NeedDocument, state: PluginDocument['state']): string {
  const { kind, name, version, optional, provided_by: provider } = needed;
  const what = `${kind} ${name}${version === '*' ? '' : ` ${version}`}${optional ? ' (optional)' : ''}`;
  // Dependencies of a stopped plugin are not resolved.
  if (provider === null) return state === 'stopped' ? what : `${what}: not available`;
  return kind === 'plugin' ? what : `${what}: from ${provider}`;
}

function refusal({ permission, function: name, object, times, last }: RefusalDocument): string {
  const what = [permission ?? 'always refused', object].filter((part) => part !== null).join(' ');
  return `${what} (${name}) ${times} times, last ${last}`;
}

function limits(values: LimitsDocument): string {
  const amount = (value: number, text: string): string => (value === 0 ? 'unlimited' : text);
  const size = (bytes: number): string => amount(bytes, formatSize(bytes));
  return [
    `memory ${size(values.memory_bytes)}`,
    `cgroup ${values.memory_cgroup_bytes === 0 ? 'none' : formatSize(values.memory_cgroup_bytes)}`,
    `open files ${amount(values.open_files, String(values.open_files))}`,
    `threads ${amount(values.threads, String(values.threads))}`,
    `file size ${size(values.file_size_bytes)}`,
    `cpu time of a call ${amount(values.cpu_time_ms, `${values.cpu_time_ms / 1000} s`)}`,
    `idle cpu ${amount(values.idle_cpu_percent, `${values.idle_cpu_percent}%`)}`,
    `concurrency ${values.concurrency}`,
    `queue ${values.queue}`,
    `frame ${size(values.frame_bytes)}`,
    `reply ${size(values.reply_bytes)}`,
    `parsed reply ${size(values.parsed_reply_bytes)}`,
    `log ${formatSize(values.log_bytes_per_second)}/s`,
    `kv ${formatSize(values.kv_bytes)}`,
  ].join(', ');
}

function processLine(runner: PluginDocument['processes'][number]): string {
  const {
    pid,
    worker,
    state,
    started_at: startedAt,
    calls,
    resident_bytes: bytes,
    threads,
    cpu_seconds: cpu,
  } = runner;
  const where = worker === null ? '' : ` of worker ${worker}`;
  const usage =
    bytes === null || cpu === null ? '' : `, ${(bytes / MIB).toFixed(1)} MiB, ${cpu.toFixed(2)} s CPU`;
  const counted = threads === null ? '' : `, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return `${pid}${where} ${state} since ${startedAt}, ${calls} calls${usage}${counted}`;
}

function printFailure(screen: Screen, failure: FailureDocument): void {
  const { time, outcome, code, message, at, system_call: call, request_id: request, stderr } = failure;
  const facts = [
    `phase ${failure.phase}`,
    failure.signal === null ? '' : `signal ${failure.signal}`,
    failure.exit_status === null ? '' : `exit code ${failure.exit_status}`,
    at === null ? '' : `at ${at}`,
    call === null ? '' : `system call ${call}`,
    request === null ? '' : `request ${request}`,
  ].filter((fact) => fact !== '');
  screen.line(`  ${screen.style('red', outcome)} ${time}`);
  screen.line(`    ${code}: ${cellText(message)}`);
  screen.line(`    ${cellText(facts.join(', '))}`);
  printBacktrace(screen, failure.backtrace);
  screen.line(`    limits in force: ${limits(failure.limits)}`);
  for (const line of stderr) screen.line(`    ${screen.style('dim', `| ${cellText(line)}`)}`);
}
