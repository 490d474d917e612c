import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { ANSWER } from '../../plugin/payload.mjs';
import { announce, listen } from './announce.mjs';

const answer = JSON.parse(ANSWER);
const app = new Hono();
app.get('/weather/:city', (c) => c.json(answer));
announce(await listen(createAdaptorServer({ fetch: app.fetch })));
