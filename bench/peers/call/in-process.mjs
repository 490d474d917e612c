import { InProcessPlugin } from '../../../dist/native/in-process/in-process.js';
import { nativeOptions, unguarded } from '../../native-options.mjs';
import { ENDPOINT, METHOD, REQUEST } from '../../plugin/payload.mjs';
import { serveCalls } from './measure-calls.mjs';

const plugin = await InProcessPlugin.open(nativeOptions('bench', process.argv[2]));
serveCalls(() => plugin.call('process_endpoint', [ENDPOINT, METHOD, REQUEST], unguarded()), {
  returns: true,
  end: () => plugin.close(),
});
