/** Removes everything that setup and tests produce, except node_modules. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const PRODUCTS = [
  'dist',
  'dist-test',
  'build',
  'coverage',
  'examples/modbus/build',
  'examples/modbus/plugins',
  'examples/fix/build',
  'examples/hl7/plugins',
  'examples/weather/cpp/build',
  'examples/weather/go/build',
  'examples/weather/plugins',
  'examples/weather/rust/target',
  'examples/weather/zig/.zig-cache',
  'examples/weather/zig/zig-out',
];

for (const path of PRODUCTS) rmSync(join(root, path), { recursive: true, force: true });
for (const name of readdirSync(root)) if (name.endsWith('.tsbuildinfo')) rmSync(join(root, name));
