import { ENDPOINT, METHOD, REQUEST } from '../../plugin/payload.mjs';
import { loadWithKoffi } from '../koffi-plugin.mjs';
import { serveCalls } from './measure-calls.mjs';

const { processEndpoint } = loadWithKoffi(process.argv[2]);
serveCalls(() => processEndpoint(ENDPOINT, METHOD, REQUEST), { returns: true });
