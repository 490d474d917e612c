import { createServer } from 'node:http';
import { ANSWER } from '../../plugin/payload.mjs';
import { announce, listen } from './announce.mjs';

/** Node's own server with a handler that does nothing: the upper bound for everything on top of it. */
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
  response.end(ANSWER);
});
announce(await listen(server));
