import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../scripts/run.mjs';
import { compileC, Missing, need, once, output, sources } from './build.mjs';

const FOLDER = 'plugin/sdk';
const folder = join(root, 'bench', FOLDER);
const sdk = join(root, 'native-sdk');

/** The sources of an SDK, and of the plugin that uses it. */
function inputs(part, endings) {
  return [...sources(`../native-sdk/${part}`, endings), ...sources(FOLDER, endings)];
}

/** Language → builds the plugin of the sdk scenario as the guide of that SDK says. @returns path of the library */
export const SDK_PLUGINS = {
  raw: () => compileC(`${FOLDER}/raw.c`, 'sdk-raw.so', ['-shared', '-fPIC']),

  c: () =>
    once('sdk-c.so', inputs('include', ['.h', '.c']), '', (draft) => compiled('cc', 'c11', 'c.c', draft)),

  cpp: () =>
    once('sdk-cpp.so', inputs('include', ['.h', '.c', '.hpp', '.cpp']), '', (draft) =>
      compiled('c++', 'c++17', 'cpp.cpp', draft),
    ),

  rust: ({ install }) =>
    once('sdk-rust.so', inputs('rust', ['.rs', '.toml']), '', (draft) => {
      const target = join(output, 'sdk-rust');
      const offline = install ? [] : ['--offline'];
      const env = { CARGO_TARGET_DIR: target };
      built(() =>
        run('cargo build', need('cargo'), ['build', '--release', '--quiet', ...offline], {
          cwd: join(folder, 'rust'),
          env,
        }),
      );
      copyFileSync(join(target, 'release/libbench.so'), draft);
    }),

  go: () =>
    once('sdk-go.so', inputs('go', ['.go', '.c', '.h', 'go.mod']), '', (draft) => {
      need('cc', 'a C compiler');
      const go = need('go', 'go (https://go.dev/dl)');
      const env = { GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOWORK: 'off' };
      const args = ['build', '-buildmode=c-shared', '-o', draft];
      built(() => run('go build', go, args, { cwd: join(folder, 'go'), env }));
    }),

  zig: () =>
    once('sdk-zig.so', inputs('zig', ['.zig']), '', (draft) => {
      const own = join(root, 'build/zig/ziglang/zig');
      const zig = existsSync(own) ? own : need('zig', 'zig (node scripts/install-zig.mjs)');
      const modules = [
        '--dep',
        'backworks',
        '-Mroot=plugin.zig',
        `-Mbackworks=${join(sdk, 'zig/backworks.zig')}`,
      ];
      const args = ['build-lib', '-dynamic', '-lc', '-O', 'ReleaseSafe', `-femit-bin=${draft}`, ...modules];
      const cache = join(output, 'sdk-zig');
      const env = { ZIG_LOCAL_CACHE_DIR: cache, ZIG_GLOBAL_CACHE_DIR: cache };
      built(() => run('zig build-lib', zig, args, { cwd: join(folder, 'zig'), env }));
    }),
};

function compiled(compiler, standard, source, draft) {
  const flags = [`-std=${standard}`, '-O2', '-g', '-shared', '-fPIC', `-I${join(sdk, 'include')}`];
  run(`compiling ${source}`, need(compiler), [...flags, '-o', draft, join(folder, source)]);
}

/** A plugin that cannot be built here is missing from the table. */
function built(build) {
  try {
    build();
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\n`);
    throw new Missing('the build failed');
  }
}
