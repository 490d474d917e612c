import { basename } from 'node:path';
import { Missing, need, once, sources } from '../../build.mjs';
import { root, run } from '../../../scripts/run.mjs';

const FOLDER = 'peers/go-plugin';

/**
 * Builds the host and the plugin, which are one program, from the modules that go.sum lists.
 * @returns absolute path of the program
 * @throws Missing
 */
export function buildGoPlugin({ install }) {
  const go = need('go', 'go (https://go.dev/dl)');
  need('cc', 'a C compiler');
  const inputs = sources(FOLDER, ['.go', 'go.mod', 'go.sum']);
  return once('go-plugin', inputs, basename(go), (draft) => {
    if (!install) throw new Missing('a run without --quick builds it');
    try {
      run('go build', go, ['build', '-trimpath', '-o', draft, '.'], { cwd: `${root}/bench/${FOLDER}` });
    } catch (error) {
      process.stderr.write(`bench: ${error.message}\n`);
      throw new Missing('go build failed');
    }
  });
}
