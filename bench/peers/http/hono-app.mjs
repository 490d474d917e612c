import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { ANSWER } from '../../plugin/payload.mjs';

/** @returns a server with one route and a constant answer. It reads posted bodies. */
export function bareHono() {
  const answer = JSON.parse(ANSWER);
  const app = new Hono();
  app.get('/weather/:city', (c) => c.json(answer));
  app.post('/weather/:city', async (c) => {
    await c.req.json();
    return c.json(answer);
  });
  return createAdaptorServer({ fetch: app.fetch });
}
