import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { below, displayPath } from '../../../dist/config/source/pointer.js';
import { ConfigError, parseConfig, type ParseOptions } from '../../../dist/config/load/load.js';
import { proxyTarget } from '../../proxy/proxy-config.js';

const FILE = `server: { port: "\${PORT}", shutdown: { delay: 1s } }
admin: { token: "\${ADMIN_TOKEN}" }
endpoints:
  city: { path: /city, methods: [GET, POST], plugin: weather }
  hello: { path: /hello, response: { status: 201, body: { a: 1, b: 2 } } }
plugins:
  weather:
    path: ./weather.so
    priority: 5
    limits: { queue: 7 }
    config: { units: metric, deep: { list: [1, 2], keep: true } }
  stripe: { type: marketplace, version: 1.0.0 }
environments:
  production:
    server: { port: 80 }
    endpoints:
      city: { methods: [HEAD], proxy: { target: "http://127.0.0.1:1" } }
      hello: { response: { body: { b: 3 } } }
    plugins:
      clock: { path: ./clock.so }
      weather:
        critical: true
        config: { units: ~, deep: { list: [~, 3] }, key: "\${KEY}" }
        limits: ~
  small:
    admin: { token: ~ }
    endpoints: ~
    plugins:
      weather: ~
      stripe: { type: external, path: ./stripe.so }
  empty: {}
  broken: { server: { port: 99999, prot: 1 }, plugins: { a: { isolation: in-process } } }
`;
const GOOD = FILE.slice(0, FILE.indexOf('  broken:'));
const env = { PORT: '8000', ADMIN_TOKEN: 't' };

const load = (text: string, options: Partial<ParseOptions>) =>
  parseConfig(text, { file: 'backworks.yaml', directory: '/srv', env, ...options });

function problems(text: string, options: Partial<ParseOptions>): string[] {
  try {
    load(text, options);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

describe('an overlay', () => {
  test('applies only when it is selected', () => {
    const plain = load(GOOD, {});
    expect(plain.environment).toBeNull();
    expect(plain.config.server.port).toBe(8000);
    expect(load(GOOD, { environment: 'empty' })).toEqual({ ...plain, environment: 'empty' });
    expect(load(GOOD.slice(0, GOOD.indexOf('environments:')), {})).toEqual(plain);
  });

  test('is merged with the file', () => {
    const { config, environment, files } = load(GOOD, {
      environment: 'production',
      env: { ...env, KEY: 'k' },
    });
    expect([environment, files]).toEqual(['production', ['/srv/backworks.yaml']]);
    expect(config.server).toMatchObject({ port: 80, shutdown: { delayMs: 1000 } });
    expect(config.endpoints).toEqual([
      {
        name: 'city',
        path: '/city',
        methods: ['HEAD'],
        bodyLimitBytes: null,
        hooks: [],
        target: proxyTarget('http://127.0.0.1:1', { connectTimeoutMs: 5000 }),
      },
      {
        name: 'hello',
        path: '/hello',
        methods: [],
        bodyLimitBytes: null,
        hooks: [],
        target: { kind: 'static', response: { status: 201, headers: {}, body: { a: 1, b: 3 } } },
      },
    ]);
    expect(config.plugins.map(({ name, where }) => [name, where])).toEqual([
      ['weather', 'backworks.yaml:7:3'],
      ['stripe', 'backworks.yaml:12:3'],
      ['clock', 'backworks.yaml:20:7'],
    ]);
    const [weather] = config.plugins;
    expect(weather).toMatchObject({ critical: true, priority: 5, limits: { queue: 1024 } });
    expect(weather?.config).toEqual({ deep: { list: [null, 3], keep: true }, key: 'k' });
  });

  test('removes keys with null, and changes the type of a plugin', () => {
    const { config } = load(GOOD, { environment: 'small', env: { PORT: '1' } });
    expect(config.admin.token).toBe('');
    expect(config.endpoints).toEqual([]);
    expect(config.plugins.map(({ name, type, path }) => [name, type, path])).toEqual([
      ['stripe', 'external', '/srv/stripe.so'],
    ]);
  });

  test('is frozen like the rest of the configuration', () => {
    expect(Object.isFrozen(load(GOOD, { environment: 'small' }).config.plugins[0]?.limits)).toBe(true);
  });
});

describe('a variable', () => {
  test('in a replaced value may be unset', () => {
    expect(problems(GOOD, { env: {}, environment: 'small' })).toEqual([
      'backworks.yaml:1:17: server.port: the variable PORT is not set — set it, or give a default: ${PORT:-default}',
    ]);
  });

  test('in an overlay may be unset, unless the overlay is applied', () => {
    expect(problems(GOOD, { environment: 'empty' })).toEqual([]);
    expect(problems(GOOD, { environment: 'production' })).toEqual([
      'backworks.yaml:23:58: plugins.weather.config.key: the variable KEY is not set — set it, or give a default: ${KEY:-default}',
    ]);
  });

  test('in an overlay is converted to the type that the key needs', () => {
    const text = 'environments: { a: { server: { port: "${P}" }, admin: { token: "${P}" } } }';
    const { config } = load(text, { environment: 'a', env: { P: '99' } });
    expect([config.server.port, config.admin.token]).toEqual([99, '99']);
  });
});

describe('a mistake', () => {
  const OF_THE_OVERLAY = [
    'backworks.yaml:32:29: environments.broken.server.port: expected a whole number from 0 to 65535, found 99999',
    'backworks.yaml:32:36: environments.broken.server.prot: unknown key "prot" — did you mean "port"?',
  ];

  test('in an overlay is reported once, applied or not', () => {
    expect(problems(FILE, {})).toEqual(OF_THE_OVERLAY);
    expect(problems(FILE, { environment: 'small' })).toEqual(OF_THE_OVERLAY);
    expect(problems(FILE, { environment: 'broken' })).toEqual([
      ...OF_THE_OVERLAY,
      'backworks.yaml:32:58: plugins.a: neither "path" nor "type" says where the plugin is',
      'backworks.yaml:32:74: plugins.a.isolation: in-process needs trusted: true — a crash of an in-process plugin ends the server',
    ]);
  });

  test('in the file is reported even if an overlay replaces the value', () => {
    const text = 'server: { port: x }\nenvironments: { a: { server: { port: 1 } } }';
    expect(problems(text, { environment: 'a' })).toEqual([
      'backworks.yaml:1:17: server.port: expected a whole number from 0 to 65535, found "x"',
    ]);
  });

  test('of the merged result is reported at the location of the value', () => {
    const text = `plugins:
  a: { path: x, restart: { max_delay: 1s } }
environments:
  slow: { plugins: { a: { restart: { delay: 2s } } } }
  twin: { admin: { port: 8080 } }`;
    expect(problems(text, {})).toEqual([]);
    expect(problems(text, { environment: 'slow' })).toEqual([
      'backworks.yaml:2:39: plugins.a.restart.max_delay: "1s" is shorter than restart.delay, "2s"',
    ]);
    expect(problems(text, { environment: 'twin' })).toEqual([
      'backworks.yaml:5:26: admin.port: server.port already uses this port — choose another port',
    ]);
  });

  test.each([
    ['prod', 'the file has production, small, empty — did you mean "production"?'],
    ['smal', 'the file has production, small, empty — did you mean "small"?'],
    ['qa', 'the file has production, small, empty'],
    ['toString', 'the file has production, small, empty'],
  ])('the environment %s does not exist', (environment, rest) => {
    expect(problems(GOOD, { environment })).toEqual([
      `backworks.yaml:13:1: environments: no environment is called "${environment}": ${rest}`,
    ]);
    expect(problems('name: a', { environment: 'qa' })).toEqual([
      'backworks.yaml:1:1: environments: no environment is called "qa": the file has none',
    ]);
  });
});

describe('a single value', () => {
  const set = (...assignments: string[]): Partial<ParseOptions> => ({
    overrides: assignments.map((assignment) => ({ assignment, layer: { kind: 'flag', name: '--set' } })),
  });

  test('takes precedence over overlay and file, and a later one over an earlier one', () => {
    const { config } = load(GOOD, {
      environment: 'small',
      ...set('server.port=1', 'server.port=2', 'name="3"', 'logging={level: debug}', 'admin.token=${T}'),
      env: { T: '4' },
    });
    expect(config).toMatchObject({
      name: '3',
      server: { port: 2 },
      logging: { level: 'debug' },
      admin: { token: '4' },
    });
  });

  test.each([
    ['plugins.weather.config.deep.list=[]', { units: 'metric', deep: { list: [], keep: true } }],
    ['plugins.weather.config.deep={list: ~}', { units: 'metric', deep: { keep: true } }],
    ['plugins.weather.config.deep=', { units: 'metric' }],
    ['plugins.weather.config.units=""', { units: '', deep: { list: [1, 2], keep: true } }],
    [
      'plugins.weather.config["units"].a-b=a=b',
      { units: { 'a-b': 'a=b' }, deep: { list: [1, 2], keep: true } },
    ],
    [
      'plugins.weather.config["a.\\"b"]=1',
      { units: 'metric', deep: { list: [1, 2], keep: true }, 'a."b': 1 },
    ],
    [
      'plugins.weather.config.__proto__=1',
      { units: 'metric', deep: { list: [1, 2], keep: true }, ['__proto__']: 1 },
    ],
  ])('%s', (assignment, expected) => {
    expect(load(GOOD, set(assignment)).config.plugins[0]?.config).toEqual(expected);
  });

  test.each([
    ['server.prot=1', 'server.prot: unknown key "prot" — did you mean "port"?'],
    ['server.port=x', 'server.port: expected a whole number from 0 to 65535, found "x"'],
    [
      'server.port=${NONE}',
      'server.port: the variable NONE is not set — set it, or give a default: ${NONE:-default}',
    ],
    ['server.port=[', 'server.port: flow sequence must end with a ]'],
    [
      'admin.token=hunter2 ünter',
      'admin.token: expected a token of visible ASCII characters, found a string',
    ],
    ['admin.port=8000', 'admin.port: server.port already uses this port — choose another port'],
    ['server.port', 'the "=" is missing — write PATH=VALUE, such as server.port=9000'],
    ['=1', 'the path is malformed — write PATH=VALUE, such as server.port=9000'],
    ['.name=1', 'the path is malformed — write PATH=VALUE, such as server.port=9000'],
    ['server..port=1', 'the path is malformed — write PATH=VALUE, such as server.port=9000'],
    [
      'endpoints.city.methods[0]=GET',
      'a single entry of a list cannot be set: set the whole list — write PATH=VALUE, such as server.port=9000',
    ],
  ])('%s is refused', (assignment, message) => {
    expect(problems(GOOD, set(assignment))).toEqual([`--set: ${message}`]);
  });

  test('accepts the path in the notation of messages', () => {
    // Messages shorten long keys, and show a key of digits like an index of a list.
    const key = fc.string({ maxLength: 50 }).filter((text) => !/^[0-9]+$/.test(text));
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (keys) => {
        const path = displayPath(keys.reduce<string>(below, '/plugins/weather/config/set'));
        const { config } = load(GOOD, set(`${path}=1`));
        const expected = keys.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), 1);
        expect(config.plugins[0]?.config['set']).toEqual(expected);
      }),
    );
  });

  test('cannot set a value of an environment', () => {
    expect(problems(GOOD, set('environments.small.name=a'))).toEqual([
      '--set: environments: unknown key "environments" — an environment cannot contain environments',
    ]);
  });

  test('with a mistake is reported after the problems of the file', () => {
    expect(problems('nam: a', set('a', 'b=[', 'server.port=x'))).toEqual([
      'backworks.yaml:1:1: nam: unknown key "nam" — did you mean "name"?',
      '--set: the "=" is missing — write PATH=VALUE, such as server.port=9000',
      '--set: b: flow sequence must end with a ]',
      '--set: server.port: expected a whole number from 0 to 65535, found "x"',
    ]);
  });
});

test('loading twice with the same options gives the same configuration', () => {
  const options = { environment: 'small', overrides: [] };
  expect(load(GOOD, options)).toEqual(load(GOOD, options));
});
