import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { BackworksError } from '../errors.js';
import type { JsonObject, JsonValue, Permissions } from '../config/types.js';
import { findProgram } from '../native/binaries.js';
import type { Refusal } from '../native/plugin.js';
import type { PluginMetadata } from '../plugins/metadata.js';
import { isBelow } from '../plugins/permissions.js';
import { askOne, type FuzzSettings } from './function-checks.js';
import type { Child, Children } from './children.js';
import { isRequested } from './permission-check.js';
import { Random } from './random.js';
import { type RecordedUse, type UsedFile, usedBy } from './recorded-use.js';
import { FailedInput, Finding } from './report.js';
import { readTrace, type SystemCall, traceCommand } from './system-call-trace.js';
import type { InputKind, Target } from './target.js';

/** The input that a traced process gets, besides ordinary input. */
const KINDS: readonly InputKind[] = ['empty', 'encoding', 'hostile'];
const RANDOM_CASES = 50;
const NAMED_MAX = 12;

export interface SystemCallParts {
  readonly targets: readonly Target[];
  readonly children: Children;
  readonly metadata: PluginMetadata;
  readonly granted: Permissions;
  /** The plugin's `config:` block. */
  readonly configuration: JsonObject;
  readonly fuzz: FuzzSettings;
}

/**
 * Runs the plugin in its sandbox under strace and records the system calls that it makes after it was loaded. What the
 * sandbox refused is added to the refusals of `children`: interposition does not see the calls of Go, of static C
 * libraries and of assembly.
 * @param recorded called with what was found
 * @returns the detail of a check that passed
 * @throws Finding when there is no strace, or for use that the configuration grants and the manifest does not ask for
 */
export async function checkSystemCalls(
  parts: SystemCallParts,
  recorded: (use: RecordedUse) => void,
): Promise<string> {
  const { children } = parts;
  const strace = findProgram('strace');
  if (strace === null) {
    const hint =
      process.platform === 'linux'
        ? 'install strace (apt-get install strace), so that system calls are compared with permissions'
        : 'validate on Linux, where strace records system calls';
    throw new Finding('unavailable', 'not recorded: strace is not installed', hint);
  }
  const use = usedBy(await traced(strace, parts));
  recorded(use);
  for (const refusal of refusalsIn(use)) {
    if (!children.refusals.some((known) => isSame(known, refusal))) children.refusals.push(refusal);
  }
  requireRequested(use, parts);
  return use.calls.length === 0 ? 'it makes none but ordinary ones' : summary(use.calls);
}

function summary(calls: readonly string[]): string {
  const more = calls.length > NAMED_MAX ? `, and ${calls.length - NAMED_MAX} more` : '';
  return `it makes ${calls.slice(0, NAMED_MAX).join(', ')}${more}`;
}

async function traced(strace: string, { targets, children, fuzz }: SystemCallParts): Promise<SystemCall[]> {
  const directory = await mkdtemp(join(tmpdir(), 'backworks-trace-'));
  const prefix = join(directory, 'thread');
  const run: { pid: number | undefined } = { pid: undefined };
  try {
    try {
      await children
        .under(traceCommand(strace, prefix), () => ({}))
        .within(async (child) => {
          run.pid = child.plugin.processes().find(({ state }) => state === 'ready')?.pid;
          for (const target of targets) await askWith(child, target, fuzz.seed);
          await child.plugin.health();
        });
    } catch (thrown) {
      // The plugin has started without strace before.
      if (run.pid === undefined) throw untraceable(thrown);
      // Another check has reported the input that fails. What the process did until then is recorded.
      if (!(thrown instanceof FailedInput)) throw thrown;
    }
    const calls = await readTrace(prefix, run.pid ?? 0);
    if (calls === null)
      throw new Finding('unavailable', 'not recorded: strace wrote no trace of the process');
    return calls;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function untraceable(thrown: unknown): Finding {
  const why = thrown instanceof BackworksError || thrown instanceof Error ? thrown.message : String(thrown);
  const hint =
    'strace needs ptrace(): in a container, allow the capability SYS_PTRACE or a seccomp profile that has it';
  return new Finding('unavailable', `not recorded: under strace, ${why}`, hint);
}

async function askWith(child: Child, target: Target, seed: number): Promise<void> {
  const random = new Random(seed, target.name);
  const drawn = Array.from({ length: RANDOM_CASES }, () => target.random(random) ?? []);
  const inputs = [...target.ordinary, ...KINDS.flatMap((kind) => target.inputs(kind)), ...drawn.flat()];
  for (const input of inputs) await askOne(child, input);
}

/** What the system refused, in the form in which runners report it. */
function refusalsIn({ files, sockets }: RecordedUse): Refusal[] {
  const ofFiles = files
    .filter(({ result }) => result === 'refused')
    .map(({ path, access }) => ({
      permission: permissionOfFile(access),
      function: access === 'execute' ? 'execve' : 'open',
      object: path,
      times: 1,
    }));
  const ofSockets = sockets
    .filter(
      ({ result, call, permission }) => result === 'refused' && (call !== 'socket' || permission !== null),
    )
    .map(({ call, address, permission }) => ({
      permission,
      function: call,
      object: objectOf(address),
      times: 1,
    }));
  return [...ofFiles, ...ofSockets];
}

/** A runner reports paths as the plugin wrote them. */
function isSame(known: Refusal, { permission, object }: Refusal): boolean {
  if (known.permission !== permission) return false;
  if (known.object === object) return true;
  return known.object?.startsWith('/') === true && posix.resolve(known.object) === object;
}

/** A runner reports the port of an address, and nothing of other addresses. */
function objectOf(address: string): string | null {
  return /^inet6? .*:(\d+)$/.exec(address)?.[1] ?? null;
}

function permissionOfFile(access: UsedFile['access']): Refusal['permission'] {
  return access === 'execute' ? null : (`filesystem.${access}` as const);
}

/**
 * Another operator grants what the manifest asks for, and no more. A manifest cannot name what the operator chooses, such as
 * the port of a peer, so what stands in the plugin's configuration needs no request.
 */
function requireRequested({ files, sockets }: RecordedUse, parts: SystemCallParts): void {
  const { filesystem, network } = parts.granted;
  const { permissions: requested } = parts.metadata;
  const chosen = scalarsIn(parts.configuration);
  const roots = { read: [...filesystem.read, ...filesystem.write], write: filesystem.write, execute: [] };
  const used = [
    ...files
      .filter(({ path, access, result }) => result === 'done' && isBelow(path, roots[access]))
      .map(({ path, access }) => ({ permission: permissionOfFile(access), object: path })),
    ...sockets
      .filter(({ call, permission, result }) => result === 'done' && call !== 'socket' && permission !== null)
      .map(({ address, permission }) => ({ permission, object: objectOf(address) }))
      .filter(({ permission }) => permission !== 'network.udp' || network.udp),
  ];
  const silent = used.filter(
    ({ permission, object }) => !isRequested(permission, object, requested) && !isChosen(object, chosen),
  );
  if (silent.length === 0) return;
  const texts = new Set(silent.map(({ permission, object }) => [permission, object ?? ''].join(' ').trim()));
  throw new Finding(
    'warning',
    `it uses what the configuration grants and its manifest does not ask for: ${[...texts].slice(0, NAMED_MAX).join(', ')}`,
    'list it under "permissions" in the manifest, so that other operators know what to grant',
  );
}

function scalarsIn(value: JsonValue): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.values(value).flatMap((member: JsonValue) => scalarsIn(member));
}

/** @param object a path or a port @param chosen values of the plugin's configuration */
function isChosen(object: string | null, chosen: readonly string[]): boolean {
  if (object === null) return false;
  const paths = chosen.filter((value) => value.startsWith('/') && value !== '/');
  return chosen.includes(object) || (object.startsWith('/') && isBelow(object, paths));
}
