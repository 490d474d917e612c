/**
 * Starts the weather example with the Node that runs this file, asks it three questions and stops
 * it. What was built before is used as it is. Exit code 0: everything answered as documented.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const EXPECTED = {
  '/weather': { city: 'Lisbon', temperature: 17.7 },
  '/rust/weather/Oslo': { city: 'Oslo', temperature: 6.7 },
  '/hello': { hello: 'world' },
};

const server = spawn(
  process.execPath,
  ['dist/cli/main.js', 'start', '--config', 'examples/weather/backworks.yaml'],
  { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PORT: '0', ADMIN_PORT: '0' } },
);
const exited = once(server, 'exit');

try {
  const address = await Promise.race([listening(), exited.then(() => null)]);
  assert.notEqual(address, null, 'the server ended before it listened');
  for (const [path, members] of Object.entries(EXPECTED)) {
    const answer = await (await fetch(address + path)).json();
    assert.deepEqual({ ...answer, ...members }, answer, path);
  }
} finally {
  server.kill('SIGTERM');
}
const [code, signal] = await exited;
assert.deepEqual({ code, signal }, { code: 0, signal: null }, 'SIGTERM ends the server in order');
console.log(`Node ${process.versions.node}: ${Object.keys(EXPECTED).length} answers as documented`);

function listening() {
  return new Promise((resolve) => {
    createInterface({ input: server.stdout }).on('line', (line) => {
      const found = /listening on (http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}
