import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../fixtures/server.js';
import { EXAMPLE, newDirectory } from './fix-example.js';
import { startProgram, type StartedProgram } from './started-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const JARS = join(root, 'build/peers/quickfixj');

/** An engine of others that is the acceptor. */
export interface Engine {
  readonly name: string;
  /** Why it cannot run here, or null. */
  readonly missing: string | null;
  /** The command that starts it. */
  command(port: number, store: string): readonly string[];
}

export const QUICKFIX: Engine = {
  name: 'QuickFIX',
  missing: null,
  command: (port, store) => [join(EXAMPLE, 'build/acceptor'), String(port), store],
};

/** Needs Java and Maven, which scripts/install-peers.mjs installs if it can. */
export const QUICKFIX_J: Engine = {
  name: 'QuickFIX/J',
  missing: whyMissing(),
  command: (port, store) => [
    ...['java', '-cp', `${JARS}/*`, 'test/fixtures/peers/quickfixj/Acceptor.java'],
    ...[String(port), store],
  ],
};

function whyMissing(): string | null {
  const reason = join(root, 'build/peers/quickfixj.missing');
  if (existsSync(reason)) return readFileSync(reason, 'utf8').trim();
  return existsSync(JARS) ? null : 'run node scripts/install-peers.mjs';
}

/** A port of the loopback interface on which nothing listened a moment ago: the engines do not say which one they took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** An acceptor that fills orders. Its numbers survive its end. */
export class QuickFix {
  readonly store = newDirectory();
  private program: StartedProgram | null = null;

  constructor(
    private readonly engine: Engine,
    readonly port: number,
  ) {}

  async start(): Promise<void> {
    const command = this.engine.command(this.port, this.store);
    this.program = await startProgram(command, { ready: /^listening on (\d+)$/ });
  }

  async end(signal?: NodeJS.Signals): Promise<void> {
    await this.program?.end(signal);
  }

  /** The orders that it has got since its start, such as "A1" or "A1 resent". */
  orders(): string[] {
    const lines = this.program?.lines ?? [];
    return lines.flatMap((line) => /^order (.*)$/.exec(line)?.[1] ?? []);
  }

  /** Waits until it has got an order. */
  got(order: string): Promise<void> {
    return eventually(() => this.orders().includes(order), `order ${order} at ${this.engine.name}`, 60_000);
  }

  /** While it is ended: it forgets the messages that it got from `number` on. */
  forget(number: number): void {
    const file = readdirSync(this.store).find((name) => /\.(target)?seqnums$/.test(name));
    if (file === undefined) throw new Error(`${this.engine.name} has stored no numbers`);
    const path = join(this.store, file);
    const text = String(number);
    if (file.endsWith('.targetseqnums')) {
      // QuickFIX/J: the length of the text in two bytes, and the text.
      writeFileSync(path, Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]));
    } else {
      // QuickFIX: "number of the sender : number of the target", with ten digits each.
      writeFileSync(path, readFileSync(path, 'utf8').replace(/\d{10}$/, text.padStart(10, '0')));
    }
  }
}
