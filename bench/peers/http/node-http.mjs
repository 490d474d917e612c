import { createServer } from 'node:http';
import { ANSWER } from '../../plugin/payload.mjs';
import { announce, listen } from './announce.mjs';

/** What Node's own server can do when the handler does nothing: the ceiling for everything on top of it. */
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
  response.end(ANSWER);
});
announce(await listen(server));
