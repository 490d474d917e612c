/** What every peer sends and expects: a request of 200 bytes of JSON, and an answer of 45. */
const fields = {
  id: '6f1f6f0e-2a55-4f0e-9a53-0d6d7f1f9b7c',
  method: 'GET',
  path: '/weather/lisbon',
  query: { units: 'metric' },
  headers: { host: 'localhost', accept: '*/*' },
  note: '',
};
const REQUEST_BYTES = 200;
const padding = REQUEST_BYTES - JSON.stringify(fields).length;

export const REQUEST = JSON.stringify({ ...fields, note: 'x'.repeat(padding) });
export const ANSWER = '{"city":"Lisbon","celsius":21.5,"sky":"fair"}';
export const ENDPOINT = '/weather/{city}';
export const METHOD = 'GET';
/** A whole request document, for plugins that read it with an SDK. */
export const DOCUMENT = JSON.stringify({
  id: '1',
  method: METHOD,
  path: '/weather/lisbon',
  route: ENDPOINT,
  params: { city: 'lisbon' },
  query: { units: 'metric' },
  headers: { host: 'localhost', accept: '*/*', 'user-agent': 'bench' },
  remote: { address: '127.0.0.1', port: 50_000 },
  context: {},
  body_encoding: 'text',
  body: null,
});
/** The path that the HTTP servers answer. */
export const PATH = '/weather/lisbon';

/** The answer of the changing plugin with `days`: 2 KiB. */
const days = Array.from({ length: 51 }, (_, index) => ({ day: index + 1, celsius: 21.5, sky: 'fair' }));
export const DAYS = JSON.stringify({ city: 'Lisbon', days });
/** The answer of the changing plugin after a change of the body. */
export const CHANGED_ANSWER = ANSWER.replace('fair', 'cloudy');
/** The value of x-api-key that the changing plugin accepts. */
export const KEY = 'bench-key';
