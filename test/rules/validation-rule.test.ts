import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../dist/index.js';
import { startServer } from '../fixtures/server.js';
import { ask, problemOf, upstream } from '../http/served.js';

const VALIDATE = `
      params: { properties: { id: { type: integer } } }
      query: { properties: { limit: { type: integer, maximum: 100 } }, additionalProperties: false }
      headers: { required: [x-tenant] }
      body: { type: object, required: [item], properties: { item: { type: string, pattern: "^(a+)+$" }, n: { type: integer } } }`;

const json = { 'x-tenant': 't', 'content-type': 'application/json' };

describe('validation', () => {
  test('refuses requests that break a schema, and passes the others with their bodies', async () => {
    const seen: string[] = [];
    await upstream(
      (request, response) =>
        void request.on('data', (chunk: Buffer) => seen.push(String(chunk))).on('end', () => response.end()),
      async (target) => {
        const { url } = await startServer(
          `endpoints:\n  a:\n    path: "/a/{id}"\n    proxy: { target: "${target}" }\n    validate:${VALIDATE}`,
        );
        const post = (path: string, body: string, headers: Record<string, string> = json) =>
          ask(url + path, { method: 'POST', headers }, body);
        const errorsOf = async (path: string, body: string, headers = json) => {
          const answer = await post(path, body, headers);
          return [answer.status, problemOf(answer)['code'], problemOf(answer)['errors']];
        };
        expect((await post('/a/7?limit=5', '{"item":"aa"}')).status).toBe(200);
        expect(seen).toEqual(['{"item":"aa"}']);
        expect(await errorsOf('/a/x', '{"item":"aa"}')).toEqual([
          422,
          'BW_REQUEST_SCHEMA',
          [{ in: 'params', pointer: '/id', message: 'must be integer' }],
        ]);
        expect(await errorsOf('/a/7?limit=500', '{}')).toMatchObject([
          422,
          'BW_REQUEST_SCHEMA',
          [{ in: 'query', pointer: '/limit' }],
        ]);
        expect(await errorsOf('/a/7', '{"item":1,"n":1.5}')).toMatchObject([
          422,
          'BW_REQUEST_SCHEMA',
          [
            { in: 'body', pointer: '/item' },
            { in: 'body', pointer: '/n' },
          ],
        ]);
        expect(await errorsOf('/a/7', `{"item":"${'a'.repeat(50_000)}!"}`)).toMatchObject([
          422,
          'BW_REQUEST_SCHEMA',
          [{ pointer: '/item' }],
        ]);
        expect((await post('/a/7', '{"item"', json)).status).toBe(400);
        expect((await post('/a/7', 'x', { 'x-tenant': 't', 'content-type': 'text/plain' })).status).toBe(415);
        expect((await post('/a/7', '[', { ...json, 'x-tenant': '' })).status).toBe(400);
        expect((await ask(`${url}/a/7`, { method: 'POST', headers: json })).status).toBe(422);
        expect(seen).toHaveLength(1);
      },
    );
  });

  test.each([
    ['{ body: { type: objekt } }', 'the schema cannot be used'],
    ['{ body: { pattern: "(?=a)" } }', 'the schema cannot be used'],
    ['{ body: { uniqueItems: true } }', 'uniqueItems needs maxItems'],
    ['{ body: { propertiez: {} } }', 'did you mean "properties"?'],
  ])('%s is refused, with its place', (validate, message) => {
    const parse = () =>
      parseConfig(`endpoints: { a: { path: /a, validate: ${validate} } }`, { directory: '/' });
    expect(parse).toThrow(message);
    expect(parse).toThrow('endpoints.a.validate.body');
  });
});
