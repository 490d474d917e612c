/** `npm run check`: every check that a change must pass. Stops at the first step that fails and names it. */
import { spawnSync } from 'node:child_process';
import { root } from './run.mjs';

const STEPS = [
  { name: 'format', command: ['node', 'scripts/format.mjs', '--check'] },
  { name: 'build, with every C warning an error', command: ['node', 'scripts/setup.mjs', 'check'] },
  { name: 'lint and unused code', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'tests', command: ['node', 'scripts/jest.mjs'] },
];

for (const { name, command } of STEPS) {
  const [program, ...args] = command;
  // On Windows npm is a .cmd file, which only a shell can start.
  const shell = process.platform === 'win32' && program === 'npm';
  const options = { cwd: root, stdio: 'inherit', shell };
  const { status } = spawnSync(program === 'node' ? process.execPath : program, args, options);
  if (status !== 0) {
    process.stderr.write(`check: ${name}: failed\n`);
    process.exit(status ?? 1);
  }
}
