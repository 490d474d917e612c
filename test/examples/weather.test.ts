import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import koffi from 'koffi';

/** Calls the two weather plugins directly. Both must give the same answers. */
const plugins = fileURLToPath(new URL('../../examples/weather/plugins', import.meta.url));

const Info = koffi.struct({ name: 'const char *', version: 'const char *', description: 'const char *' });
const Configure = koffi.proto('int32_t Configure(const char *)');
const Check = koffi.proto('int32_t Check()');
const Hook = koffi.proto('const char *Hook(const char *)');
const Endpoint = koffi.proto('const char *Endpoint(const char *, const char *, const char *)');
const VTable = koffi.struct({
  initialize: koffi.pointer(Configure),
  shutdown: koffi.pointer(Check),
  health_check: koffi.pointer(Check),
  before_request: koffi.pointer(Hook),
  after_response: koffi.pointer(Hook),
  process_endpoint: koffi.pointer(Endpoint),
});

interface Weather {
  readonly info: Record<string, string>;
  readonly initialize: (config: object) => number;
  readonly healthCheck: () => number;
  readonly before: (request: object) => unknown;
  readonly after: (response: object) => unknown;
  readonly answer: (endpoint: string, method: string, request: object) => unknown;
}

function open(file: string): Weather {
  const library = koffi.load(`${plugins}/${file}`);
  const call = (name: string, type: object): unknown =>
    (library.func(name, type as never, []) as () => unknown)();
  const table = call('plugin_vtable', VTable) as Record<string, unknown>;
  const slot = (name: string, type: object): ((...args: unknown[]) => unknown) =>
    koffi.decode(table[name], type as never) as (...args: unknown[]) => unknown;
  const initialize = slot('initialize', Configure);
  const healthCheck = slot('health_check', Check);
  const hook = (name: string, type: object): ((...args: unknown[]) => unknown) => {
    const native = slot(name, type);
    return (...args) => {
      const text = native(...args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)))) as
        string | null;
      return text === null ? null : (JSON.parse(text) as unknown);
    };
  };
  return {
    info: call('plugin_info', Info) as Record<string, string>,
    initialize: (config) => initialize(JSON.stringify(config)) as number,
    healthCheck: () => healthCheck() as number,
    before: hook('before_request', Hook),
    after: hook('after_response', Hook),
    answer: hook('process_endpoint', Endpoint),
  };
}

const c = { weather: open('libweather_plugin.so'), prefix: '', name: 'weather' };
const rust = { weather: open('libweather_rust_plugin.so'), prefix: '/rust', name: 'weather-rust' };
const both = [c, rust];

const inCity = ({ weather, prefix, name }: typeof c, city: string, units = 'metric'): unknown =>
  weather.answer(`${prefix}/weather/{city}`, 'GET', { params: { city }, context: { [name]: { units } } });

test('both plugins report their name and version', () => {
  expect(c.weather.info).toMatchObject({ name: 'weather', version: '1.0.0' });
  expect(rust.weather.info).toMatchObject({ name: 'weather-rust', version: '1.0.0' });
});

test.each(both)('$name: a known city is found in any letter case, in both units', (plugin) => {
  const oslo = { basis: 'yearly mean', city: 'Oslo', conditions: 'overcast', humidity: 76 };
  expect(inCity(plugin, 'oSLO')).toEqual({ ...oslo, temperature: 6.7, units: 'metric' });
  expect(inCity(plugin, 'Oslo', 'imperial')).toEqual({ ...oslo, temperature: 44.1, units: 'imperial' });
});

test('both plugins give the same answer for any name', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => {
    const bytes = Buffer.from(text);
    return bytes.length <= 127 && !text.includes('\0') && bytes.toString() === text;
  });
  fc.assert(
    fc.property(name, fc.constantFrom('metric', 'imperial'), (city, units) => {
      const answer = inCity(c, city, units);
      expect(answer).toEqual(inCity(rust, city, units));
      expect(answer).toMatchObject({ units, humidity: expect.any(Number) });
    }),
    { numRuns: 500 },
  );
});

test.each(both)('$name: the default city comes from the configuration', ({ weather, prefix }) => {
  const city = (): unknown => (weather.answer(`${prefix}/weather`, 'GET', {}) as { city: string }).city;
  expect(weather.initialize({ api_key: 'demo', default_city: 'Tokyo' })).toBe(0);
  expect(city()).toBe('Tokyo');
  expect(weather.healthCheck()).toBe(0);
});

test.each([{ api_key: '' }, { api_key: 7 }, { default_city: '' }, { default_city: 'x'.repeat(128) }])(
  'both plugins refuse the configuration %j',
  (config) => {
    for (const { weather } of both) expect(weather.initialize(config)).not.toBe(0);
  },
);

test('the C plugin is degraded when its default city is unknown', () => {
  expect(c.weather.initialize({ default_city: 'Nowhere' })).toBe(0);
  expect(c.weather.healthCheck()).toBeGreaterThan(0);
});

test.each(both)(
  '$name: before_request adds the units to the context, or answers 400 to unknown units',
  ({ weather, prefix, name }) => {
    const request = (query: object): object => ({ route: `${prefix}/weather`, query });
    expect(weather.before(request({}))).toEqual({ context: { [name]: { units: 'metric' } } });
    expect(weather.before(request({ units: 'imperial' }))).toEqual({
      context: { [name]: { units: 'imperial' } },
    });
    for (const units of ['kelvin', ['metric', 'metric'], 'x'.repeat(500)]) {
      expect(weather.before(request({ units }))).toMatchObject({
        response: { status: 400, body: { status: 400 } },
      });
    }
  },
);

test.each(both)(
  '$name: after_response adds the source only to answers of the plugin',
  ({ weather, name }) => {
    const header = { headers: { 'x-weather-source': `${name}/1.0.0` } };
    expect(weather.after({ status: 200, context: { [name]: { units: 'metric' } } })).toEqual(header);
    expect(weather.after({ status: 200, context: {} })).toBeNull();
  },
);

test.each(both)('$name: other routes and methods are left to other plugins', ({ weather, prefix }) => {
  expect(weather.answer('/other', 'GET', {})).toBeNull();
  expect(weather.answer(`${prefix}/weather`, 'POST', {})).toBeNull();
  expect(weather.before({ route: '/hello', query: { units: 'kelvin' } })).toBeNull();
  expect(weather.before({ route: null })).toBeNull();
});

test.each(both)('$name: a city that is too long or not text is a 400', (plugin) => {
  const ask = (city: unknown): unknown => inCity(plugin, city as string);
  for (const city of ['x'.repeat(128), '', 'a\0b', 7, { a: 1 }])
    expect(ask(city)).toMatchObject({ status: 400 });
});
