import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ANSWER, REQUEST } from '../../plugin/payload.mjs';
import { serveCalls } from './measure-calls.mjs';

/**
 * The lower bound for a call from Node to another process: a socket pair, and the C program ping_pong.c, which
 * answers at once. No frames are built, matched or checked, and no plugin is called. Requests of one turn of
 * the event loop share a write, as in Backworks.
 */
const QUESTION = Buffer.alloc(216, REQUEST);
const ANSWER_BYTES = 61;
const child = spawn(process.argv[2], ['--answer'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
const socket = child.stdio[3];
const waiting = [];
let unsent = 0;
let received = 0;

// One byte signals that the program is ready.
await once(socket, 'data');
socket.on('data', (bytes) => {
  received += bytes.length;
  for (; received >= ANSWER_BYTES; received -= ANSWER_BYTES) waiting.shift()(ANSWER);
});

function send() {
  socket.write(unsent === 1 ? QUESTION : Buffer.concat(Array.from({ length: unsent }, () => QUESTION)));
  unsent = 0;
}

function call() {
  unsent += 1;
  if (unsent === 1) queueMicrotask(send);
  return new Promise((resolve) => waiting.push(resolve));
}

serveCalls(call, { end: () => socket.destroy() });
