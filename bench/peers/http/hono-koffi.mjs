import { createAdaptorServer } from '@hono/node-server';
import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { ENDPOINT } from '../../plugin/payload.mjs';
import { loadWithKoffi } from '../koffi-plugin.mjs';
import { announce, listen } from './announce.mjs';

/**
 * The three hooks as someone would call them without Backworks: one document, no isolation, no deadline,
 * no breaker, no metrics, and no check of what the plugin answers.
 */
const plugin = loadWithKoffi(process.argv[2]);
const app = new Hono();
app.get('/weather/:city', (c) => {
  const { method, path } = c.req;
  const request = {
    id: randomUUID(),
    method,
    path,
    params: c.req.param(),
    query: c.req.query(),
    headers: c.env.incoming.headers,
  };
  const document = JSON.stringify(request);
  plugin.beforeRequest(document);
  const body = plugin.processEndpoint(ENDPOINT, method, document);
  const headers = { 'content-type': 'application/json' };
  plugin.afterResponse(JSON.stringify({ status: 200, headers, body }));
  return c.body(body, 200, headers);
});
announce(await listen(createAdaptorServer({ fetch: app.fetch })));
