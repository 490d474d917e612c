import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ENDPOINT, METHOD, REQUEST } from '../../plugin/payload.mjs';
import { serveCalls } from './measure-calls.mjs';

/** A Node child process that calls the library with koffi, over Node's own IPC. */
const child = fork(fileURLToPath(new URL('./fork-koffi-child.mjs', import.meta.url)), [process.argv[2]]);
const waiting = new Map();
let nextId = 0;

child.on('message', ({ id, answer }) => {
  waiting.get(id)(answer);
  waiting.delete(id);
});

function call() {
  return new Promise((resolve) => {
    const id = nextId++;
    waiting.set(id, resolve);
    child.send({ id, endpoint: ENDPOINT, method: METHOD, data: REQUEST });
  });
}

serveCalls(call, { end: () => child.disconnect() });
