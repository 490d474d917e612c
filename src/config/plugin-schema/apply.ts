import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Semaphore } from '../../semaphore.js';
import { CHECK_HEAP_MIB, CHECK_TIMEOUT_MS } from './limits.js';
import type { CheckAnswer, CheckTask } from './mistake.js';

const THREAD = new URL('./thread.js', import.meta.url);

/**
 * Applies a vetted schema in a thread without environment variables. The thread is stopped when it takes too
 * long or uses too much memory. Never rejects.
 */
export function applySchema(task: CheckTask): Promise<CheckAnswer> {
  return threads.run(() => applyInThread(task));
}

/** Bounds the threads: each has 2 s, and a hundred at once would slow each other down. */
const threads = new Semaphore(availableParallelism());

function applyInThread(task: CheckTask): Promise<CheckAnswer> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const thread = new Worker(THREAD, {
      workerData: task,
      env: {},
      argv: [],
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: CHECK_HEAP_MIB,
        maxYoungGenerationSizeMb: CHECK_HEAP_MIB / 4,
      },
    });
    const settle = (answer: CheckAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
      void thread.terminate();
    };
    thread.on('message', (message: 'up' | CheckAnswer) => {
      if (message !== 'up') settle(message);
      // The deadline starts when the thread is up, so a slow machine is not blamed on the schema.
      else timer = setTimeout(() => settle({ unusable: TOO_SLOW }), CHECK_TIMEOUT_MS);
    });
    thread.on('error', (error: NodeJS.ErrnoException) =>
      settle({ unusable: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? TOO_LARGE : error.message }),
    );
    thread.on('exit', () => settle({ unusable: 'the thread that applied it exited unexpectedly' }));
  });
}

const TOO_SLOW = `it takes longer than ${CHECK_TIMEOUT_MS} ms to apply`;
const TOO_LARGE = `it takes more than ${CHECK_HEAP_MIB} MiB of memory to apply`;
