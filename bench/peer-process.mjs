import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { interruption } from './interruption.mjs';

const ANSWER_MAX_MS = 60_000;
const END_MAX_MS = 5_000;
/** The part of a command line that errors show. */
const NAME_MAX = 120;

/**
 * A peer in its own process, so that the compiled code and garbage of one peer do not affect another. It reads
 * one line per task and writes one line of JSON per answer. It exits at the end of its input.
 */
export class PeerProcess {
  /** @param command program and arguments */
  constructor([program, ...args]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.waiting = [];
    /** Why no further answer will come. Null while answers can come. */
    this.failure = null;
    this.exited = new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.once('error', resolve);
    });
    this.child.on('error', (error) => this.#fail(error.message));
    this.child.once('exit', (code, signal) => this.#fail(`ended with ${signal ?? `exit code ${code}`}`));
    this.child.stdin.on('error', () => {});
    interruption.addEventListener('abort', () => this.#fail('interrupted'));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
    this.program = args.slice(0, 3).join(' ').slice(0, NAME_MAX);
  }

  get pid() {
    return this.child.pid;
  }

  /** Waits for the line that a peer writes when it is ready. */
  answer() {
    if (this.failure !== null) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.program}: no answer`)), ANSWER_MAX_MS);
      this.waiting.push({
        resolve: (line) => {
          clearTimeout(timer);
          resolve(JSON.parse(line));
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** Sends a task and waits for its answer. */
  ask(task) {
    const answer = this.answer();
    this.child.stdin.write(`${JSON.stringify(task)}\n`);
    return answer;
  }

  async end() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_MAX_MS);
    await this.exited;
    clearTimeout(timer);
  }

  #fail(why) {
    this.failure ??= new Error(`${this.program}: ${why}`);
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
