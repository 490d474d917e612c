import { IsolatedPlugin } from '../../../dist/native/pool/isolated.js';
import { nativeOptions, unguarded } from '../../native-options.mjs';
import { ENDPOINT, METHOD, REQUEST } from '../../plugin/payload.mjs';
import { serveCalls } from './measure-calls.mjs';

const plugin = await IsolatedPlugin.open(nativeOptions('bench', process.argv[2], process.argv[3]));
serveCalls(() => plugin.call('process_endpoint', [ENDPOINT, METHOD, REQUEST], unguarded()), {
  end: () => plugin.close(),
});
