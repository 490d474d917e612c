import { loadWithKoffi } from '../koffi-plugin.mjs';

const { processEndpoint } = loadWithKoffi(process.argv[2]);
process.on('message', ({ id, endpoint, method, data }) => {
  process.send({ id, answer: processEndpoint(endpoint, method, data) });
});
