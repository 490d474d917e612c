import { join } from 'node:path';
import { installPackages, Missing, need, once } from '../../build.mjs';
import { root, run } from '../../../scripts/run.mjs';

/**
 * Installs the Extism SDK and compiles the plugin to WebAssembly.
 * @returns absolute path of the module
 * @throws Missing
 */
export function buildExtism({ install }) {
  installPackages('peers/extism', { install });
  const clang = need('clang', 'clang (Debian: apt-get install clang lld)');
  need('wasm-ld', 'wasm-ld (Debian: apt-get install lld)');
  const source = join(root, 'bench/peers/extism/bench_plugin.c');
  const flags = ['--target=wasm32', '-O2', '-nostdlib', '-Wall', '-Wextra', '-Wl,--no-entry'];
  return once('extism.wasm', [source], flags.join(' '), (draft) => {
    try {
      run('compiling to wasm', clang, [...flags, '-o', draft, source]);
    } catch (error) {
      process.stderr.write(`bench: ${error.message}\n`);
      throw new Missing('clang cannot compile to wasm32');
    }
  });
}
