import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compilePlugin } from '../../fixtures/compile.js';
import {
  ANSWER,
  call,
  Conversation,
  endConversations,
  type Frame,
  hello,
  initialize,
  load,
  RUNNER,
  sandbox,
  type Start,
} from '../runner-conversation.js';

const NOBODY = 65534;

/** Users that start a runner; started as root, the runner becomes nobody. */
export const USERS: readonly (readonly [string, number | undefined])[] =
  process.getuid?.() === 0
    ? [
        ['started as root', undefined],
        ['started as an ordinary user', NOBODY],
      ]
    : [['started as an ordinary user', undefined]];

/** A place that the runner's user can reach, wherever the repository is. */
export class Grounds {
  readonly path = mkdtempSync(join(tmpdir(), 'backworks-sandbox-'));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** A copy of the compiled plugin. */
  library(name: string): string {
    const copy = join(this.path, `${basename(name)}.so`);
    copyFileSync(compilePlugin(name), copy);
    return copy;
  }

  /** A directory that the runner's user may write to, with a file and a link to /etc/passwd. */
  directory(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path);
    writeFileSync(join(path, 'readme'), 'text');
    symlinkSync('/etc/passwd', join(path, 'link'));
    if (process.getuid?.() === 0)
      for (const owned of [path, join(path, 'readme')]) chownSync(owned, NOBODY, NOBODY);
    return path;
  }

  /** A copy of the runner, because the user may have no access to the original. */
  runner(): string {
    const copy = join(this.path, 'backworks-runner');
    copyFileSync(RUNNER, copy);
    return copy;
  }

  remove(): void {
    endConversations();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A runner with a sandboxed plugin that is ready for calls. */
export class SandboxedRunner {
  /** The strings `mechanism=state` of READY. */
  readonly states: readonly string[];

  private constructor(
    readonly conversation: Conversation,
    ready: Frame,
  ) {
    this.states = strings(ready);
  }

  static async start(
    library: string,
    settings: readonly string[] = [],
    start: Start = {},
  ): Promise<SandboxedRunner> {
    const conversation = new Conversation(undefined, start);
    conversation.send(hello(), sandbox([`library=${library}`, ...settings]), load(library), initialize());
    await conversation.expect(ANSWER.HELLO);
    const ready = await conversation.expect(ANSWER.READY);
    await conversation.expect(ANSWER.LOADED);
    let next = await conversation.next();
    // The sandbox may have refused an operation of its constructor.
    while (next.type === ANSWER.REFUSED) next = await conversation.next();
    if (next.type !== ANSWER.STATUS) throw new Error(`expected STATUS, got ${next.type}`);
    return new SandboxedRunner(conversation, ready);
  }

  /** Makes the plugin try its operations, and returns the results. */
  async attempt(argument = '', more = ''): Promise<Record<string, string | number>> {
    this.conversation.send(call(7, 'process_endpoint', [argument, more, 'null']));
    const { payload } = await this.conversation.expect(ANSWER.REPLY);
    return JSON.parse(payload.toString()) as Record<string, string | number>;
  }

  /** Makes the plugin do something fatal. Returns how it ended, and its last frame if any. */
  async attemptFatally(
    argument: string,
    more = '',
  ): Promise<{ signal: string | null; last: Frame | undefined }> {
    this.conversation.send(call(7, 'process_endpoint', [argument, more, 'null']));
    const { signal } = await this.conversation.ended;
    return { signal, last: this.conversation.remaining().at(-1) };
  }
}

/** The strings of a payload, each ended by a NUL. */
export function strings({ payload }: Frame): string[] {
  return payload.toString().split('\0').slice(0, -1);
}
