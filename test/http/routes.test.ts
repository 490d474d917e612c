import { expect, test } from '@jest/globals';
import { Routes } from '../../dist/http/routes.js';
import { staticEndpoint } from '../pipeline/documents/sample-request.js';

const routes = new Routes([
  staticEndpoint('/*', 'everything', ['GET']),
  staticEndpoint('/users/{id}', 'user', ['GET', 'PUT']),
  staticEndpoint('/users/me', 'me', ['GET']),
  staticEndpoint('/users/{name}/files/{file-name}', 'file', ['GET']),
  staticEndpoint('/files/*', 'files', []),
  staticEndpoint('/files/*', 'upload', ['POST']),
  staticEndpoint('/probe', 'probe', ['HEAD']),
  staticEndpoint('/own-options', 'options', ['OPTIONS']),
  staticEndpoint('/grün', 'green', ['GET']),
]);

test.each([
  ['GET', '/users/me', '/users/me', {}],
  ['GET', '/users/7', '/users/{id}', { id: '7' }],
  ['HEAD', '/users/7', '/users/{id}', { id: '7' }],
  ['PUT', '/users/me', '/users/{id}', { id: 'me' }],
  [
    'GET',
    '/users/a%2Fb/files/100%25%2541',
    '/users/{name}/files/{file-name}',
    { name: 'a/b', 'file-name': '100%%41' },
  ],
  ['GET', '/gr%C3%BCn', '/grün', {}],
  ['GET', '/users/7/', '/*', {}],
  ['DELETE', '/files/a/b', '/files/*', {}],
  ['GET', '/', '/*', {}],
  ['HEAD', '/probe', '/probe', {}],
  ['OPTIONS', '/own-options', '/own-options', {}],
])('routes %s %s to %s', (method, path, route, params) => {
  const match = routes.match(method, path);
  expect(match.endpoint?.path).toBe(route);
  expect(match.params).toEqual(params);
  expect(match.others).toBeNull();
});

test('prefers an endpoint for the method over an endpoint for every method', () => {
  const body = (method: string) => {
    const target = routes.match(method, '/files/x').endpoint?.target;
    return target?.kind === 'static' ? target.response.body : undefined;
  };
  expect(body('POST')).toBe('upload');
  expect(body('GET')).toBe('files');
});

test('lists the methods of a path that does not allow the request’s method', () => {
  expect(routes.match('DELETE', '/users/7')).toMatchObject({
    endpoint: null,
    others: { configured: ['GET', 'PUT'], allow: ['GET', 'HEAD', 'OPTIONS', 'PUT'] },
  });
});

test('finds nothing for a path that no endpoint matches', () => {
  expect(new Routes([]).match('GET', '/')).toMatchObject({ endpoint: null, params: {}, others: null });
});

test.each(['/%', '/%zz', '/users/%ff'])('rejects the malformed path %s', (path) => {
  expect(() => routes.match('GET', path)).toThrow(expect.objectContaining({ code: 'BW_REQUEST_INVALID' }));
});

test('does not split segments at an encoded slash', () => {
  const guarded = new Routes([staticEndpoint('/admin/{x}', 'admin')]);
  expect(guarded.match('GET', '/admin%2Fkey').endpoint).toBeNull();
});

test('finds the same match again after any number of other paths', () => {
  const first = routes.match('GET', '/users/7');
  expect(routes.match('GET', '/users/7')).toBe(first);
  const one = { GET: '/users/{id}', PUT: '/users/{id}', DELETE: undefined } as const;
  for (let id = 0; id < 3000; id += 1) {
    for (const [method, path] of Object.entries(one)) {
      const { endpoint, params } = routes.match(method, `/users/${id}`);
      expect(endpoint?.path).toBe(path);
      expect(params).toEqual(path === undefined ? {} : { id: String(id) });
    }
  }
  expect(routes.match('GET', '/users/7')).toEqual(first);
});
