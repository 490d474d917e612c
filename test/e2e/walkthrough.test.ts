/** Follows, in real terminals, the documents that lead from an empty file to a running plugin. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { applyPatch } from 'diff';
import { ownCache } from '../fixtures/cache.js';
import { sectionOf } from '../fixtures/markdown.js';
import { patternOf, type Step, stepsOf } from './walkthrough.js';

ownCache();
const root = fileURLToPath(new URL('../..', import.meta.url));
const START = 'npx backworks start';
/** Files of a checkout after `npm run build`. */
const BUILT = ['package.json', 'dist', 'build', 'native-sdk', 'node_modules', 'schema'];
const END_OF_OUTPUT = 'end-of-output';

type Terminal = ChildProcessByStdio<Writable, Readable, Readable>;

/** Two terminals in a checkout: one for commands, one for the server. */
class Reader {
  readonly checkout = mkdtempSync(join(tmpdir(), 'backworks-walkthrough-'));
  private readonly terminals: Terminal[] = [];
  private shell!: Terminal;
  private server: Terminal | null = null;
  private ports: readonly [number, number] = [0, 0];
  private serverOutput = '';
  /** Resolves with true when the server's terminal has closed. */
  private serverEnded: Promise<boolean> = new Promise(() => undefined);

  async sitDown(): Promise<void> {
    chmodSync(this.checkout, 0o755);
    for (const name of BUILT) symlinkSync(join(root, name), join(this.checkout, name));
    this.ports = await freePorts();
    this.shell = this.open('bash', ['--norc', '-s']);
    this.shell.stdin.write('exec 2>&1\n');
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'write') writeFileSync(await this.path(step.file), step.text);
    else if (step.kind === 'change') await this.change(step.file, step.patch);
    else if (step.kind === 'see') await this.see(step.output);
    else if (step.command === START) await this.start(step.output);
    else {
      // A JSON answer does not end with a newline; in the document it does.
      const expected = new RegExp(`^${this.pattern(step.output)}$`);
      expect((await this.type(step.command)).replace(/([^\n])$/, '$1\n')).toMatch(expected);
    }
  }

  async leave(): Promise<void> {
    this.server?.stdin.write('\x03\x03');
    for (const terminal of this.terminals) {
      terminal.stdin.end();
      if (terminal.exitCode === null && terminal.signalCode === null) await once(terminal, 'exit');
    }
    rmSync(this.checkout, { recursive: true, force: true });
  }

  /** Replaces the ports of the document, which other programs may use on this machine. */
  private local(text: string): string {
    return text.replaceAll(/127\.0\.0\.1:(8080|8081)\b/g, (_, port) => {
      return `127.0.0.1:${this.ports[port === '8080' ? 0 : 1]}`;
    });
  }

  private pattern(output: string): string {
    return patternOf(this.local(output));
  }

  private async path(file: string): Promise<string> {
    return join((await this.type('pwd')).trim(), file);
  }

  private async change(file: string, patch: string): Promise<void> {
    const path = await this.path(file);
    const changed = applyPatch(readFileSync(path, 'utf8'), patch);
    if (changed === false) throw new Error(`the change does not fit ${file}`);
    writeFileSync(path, changed);
  }

  /** Types a command into the shell. Returns what it prints. */
  private async type(command: string): Promise<string> {
    this.shell.stdin.write(`${this.local(command)}\necho ${END_OF_OUTPUT}\n`);
    return until(this.shell, (output) => {
      const end = output.indexOf(`${END_OF_OUTPUT}\n`);
      return end < 0 ? undefined : output.slice(0, end);
    });
  }

  /** Starts the server in its own terminal, which python3 provides. */
  private async start(output: string): Promise<void> {
    const directory = await this.path('.');
    const terminal = 'import pty, sys; pty.spawn(sys.argv[1:])';
    const sized = `stty cols 100; cd '${directory}' && exec ${START}`;
    this.server = this.open('python3', ['-c', terminal, 'bash', '-c', sized]);
    this.serverEnded = once(this.server, 'close').then(() => true);
    this.server.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.serverOutput += text.replaceAll('\r\n', '\n');
    });
    await this.see(output);
  }

  /** Waits for lines in the server's terminal, in their order. */
  private async see(output: string): Promise<void> {
    if (this.server === null) throw new Error('the server was not started');
    if (output.startsWith('^C')) this.server.stdin.write('\x03');
    // npx draws a spinner before the first line, and other lines may appear in between.
    const lines = this.pattern(output).split(/(?<=\n)/);
    const pattern = new RegExp(lines.join('(?:.*\\n)*?'));
    while (!pattern.test(this.serverOutput)) {
      const more = once(this.server.stdout, 'data').then(() => false);
      const ended = await Promise.race([this.serverEnded, more]);
      if (ended) return expect(this.serverOutput).toMatch(pattern);
    }
  }

  private open(program: string, args: readonly string[]): Terminal {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      NO_COLOR: '1',
      npm_config_update_notifier: 'false',
      BACKWORKS_SET: `server.port=${this.ports[0]}\nadmin.port=${this.ports[1]}`,
    };
    for (const name of ['FORCE_COLOR', 'ADMIN_TOKEN', 'BACKWORKS_CONFIG', 'BACKWORKS_ENV']) delete env[name];
    const terminal = spawn(program, args, { cwd: this.checkout, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.terminals.push(terminal);
    return terminal;
  }
}

/** Collects what a program prints until `look` finds something in it. */
async function until(program: Terminal, look: (output: string) => string | undefined): Promise<string> {
  let output = '';
  program.stdout.setEncoding('utf8');
  return new Promise((resolve) => {
    const more = (text: string): void => {
      output += text;
      const found = look(output);
      if (found === undefined) return;
      program.stdout.off('data', more);
      resolve(found);
    };
    program.stdout.on('data', more);
  });
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe.each([
  { document: 'README.md', steps: stepsOf(sectionOf(read('README.md'), 'A plugin of your own')) },
  { document: 'docs/getting-started.md', steps: stepsOf(read('docs/getting-started.md')) },
])('$document, followed word for word', ({ steps }) => {
  const reader = new Reader();
  beforeAll(() => reader.sitDown());
  afterAll(() => reader.leave());

  test.each(steps)('$title', (step) => reader.take(step));

  test('leads from a compiler command to an answer of the plugin', () => {
    const typed = steps.flatMap((step) => (step.kind === 'type' ? [step.command] : []));
    const places = [/^cc .*-shared/, /^npx backworks start$/, /^curl /].map((command) =>
      typed.findIndex((line) => command.test(line)),
    );
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
  });
});
