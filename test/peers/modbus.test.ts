/** The Modbus example against devices of others: libmodbus and pymodbus. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { buildExample, EXAMPLE, modbusYaml, put } from './modbus-build.js';
import { documentedCommands, runDocumented } from './readme-commands.js';
import { startProgram, type StartedProgram } from '../fixtures/started-program.js';

const BUILD_MS = 300_000;
const TEST_MS = 120_000;

const boiler = (port = '0'): Promise<StartedProgram> =>
  startProgram([`${EXAMPLE}/build/boiler`, port], { ready: /listening on 127\.0\.0\.1:(\d+)/ });

const POINTS = [
  '{ name: pump, table: coils, address: 0, write: single }',
  '{ name: lamps, table: coils, address: 2, count: 11, write: multiple }',
  '{ name: doors, table: discrete_inputs, address: 0, count: 3 }',
  '{ name: setpoint, table: holding_registers, address: 0, type: int16, scale: 0.1, offset: -10, write: single }',
  '{ name: total, table: holding_registers, address: 2, type: uint32, word_order: low_first, write: multiple }',
  '{ name: gains, table: holding_registers, address: 4, type: float32, count: 2, write: multiple }',
  '{ name: level, table: input_registers, address: 0, type: int32 }',
  '{ name: pressure, table: input_registers, address: 2, type: float32 }',
  '{ name: nowhere, table: input_registers, address: 50000 }',
];

beforeAll(buildExample, BUILD_MS);

describe('README.md', () => {
  let device: StartedProgram | undefined;
  let server: StartedProgram | undefined;

  beforeAll(async () => {
    device = await boiler();
    const command = ['dist/cli/main.js', 'start', '--config', 'examples/modbus/backworks.yaml'];
    server = await startProgram([process.execPath, ...command], {
      ready: /listening on (http:\/\/[\d.]+:\d+)/,
      env: { PORT: '0', ADMIN_PORT: '0', MODBUS_PORT: device.said },
    });
    // The last point of the first round has an error, because the device does not have it.
    let body = '';
    while (!body.includes('ILLEGAL DATA ADDRESS')) body = await (await fetch(`${server.said}/points`)).text();
  }, TEST_MS);

  afterAll(async () => {
    await server?.end();
    await device?.end();
  });

  const commands = documentedCommands(`${EXAMPLE}/README.md`);
  const withoutAge = (answer: string): string => answer.replaceAll(/"age_ms":\d+/g, '"age_ms":0');

  test('has a command for every endpoint and method', () => {
    expect(commands.length).toBeGreaterThan(5);
  });

  test.each(commands)('the answer to $command is the documented one', ({ command, answer }) => {
    expect(withoutAge(runDocumented(command, server?.said ?? ''))).toBe(withoutAge(answer));
  });
});

describe('libmodbus', () => {
  let device: StartedProgram;
  let server: TestServer;
  const fresh = (name: string) => server.get(`/points/${name}?fresh=true`);
  const restart = async () => {
    device = await boiler(device.said);
  };

  beforeAll(async () => {
    device = await boiler();
    const yaml = modbusYaml(Number(device.said), {
      points: POINTS,
      config: 'poll_interval_ms: 50\n      reconnect_max_ms: 200',
      plugin: 'limits: { concurrency: 4 }',
    });
    server = await startServer(yaml);
  }, TEST_MS);

  afterAll(() => device.end());

  test('many reads and writes at once get the answers to their own requests', async () => {
    await put(server.url, 'total', 305419896);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 4 === 0 ? put(server.url, 'setpoint', i) : fresh(i % 2 === 0 ? 'total' : 'pressure'),
      ),
    );
    answers.forEach(({ status, body }, i) => {
      const expected = i % 4 === 0 ? { written: i } : { value: i % 2 === 0 ? 305419896 : expect.any(Number) };
      expect({ status, body }).toMatchObject({ status: 200, body: expected });
    });
  });

  test(
    'a device that goes away is reported, the last values stay, and it is used again when it is back',
    async () => {
      await put(server.url, 'setpoint', 20);
      expect(await fresh('setpoint')).toMatchObject({ status: 200, body: { value: 20 } });
      await device.end('SIGKILL');
      expect(await fresh('setpoint')).toMatchObject({
        status: 503,
        body: { title: 'Service Unavailable', detail: expect.stringContaining('cannot connect') as unknown },
      });
      expect(await put(server.url, 'setpoint', 30)).toMatchObject({ status: 503 });
      expect(await server.get('/points/setpoint')).toMatchObject({
        status: 200,
        body: { value: 20, error: expect.stringContaining('cannot connect') as unknown },
      });
      expect(await server.get('/points')).toMatchObject({ status: 200, body: { connected: false } });

      await restart();
      let answer = await server.get('/points');
      while (!(answer.body as { connected: boolean }).connected) answer = await server.get('/points');
      // The device has forgotten what was written: this value is new.
      expect(await fresh('setpoint')).toMatchObject({ status: 200, body: { value: 55 } });
    },
    TEST_MS,
  );

  test(
    'a plugin whose process is killed is started again and goes on',
    async () => {
      const killed = server.plugin('modbus').processes.map(({ pid }) => pid);
      expect(killed.length).toBeGreaterThan(0);
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await eventually(() => {
        const { state, processes } = server.plugin('modbus');
        return state === 'ready' && processes.some(({ pid }) => !killed.includes(pid));
      }, 'the restart of the plugin');
      expect(await fresh('pressure')).toMatchObject({ status: 200, body: { value: 2.25 } });
    },
    TEST_MS,
  );
});

describe('pymodbus', () => {
  let device: StartedProgram;
  let server: TestServer;
  const fresh = async (name: string): Promise<unknown> => {
    const { status, body } = await server.get(`/points/${name}?fresh=true`);
    return status === 200 ? (body as { value: unknown }).value : body;
  };

  beforeAll(async () => {
    device = await startProgram(['python3', 'test/fixtures/peers/modbus_device.py'], {
      ready: /^(\d+)$/,
      env: { PYTHONPATH: 'build/peers/python' },
    });
    const yaml = modbusYaml(Number(device.said), { points: POINTS, config: 'poll_interval_ms: 0' });
    server = await startServer(yaml);
  }, TEST_MS);

  afterAll(() => device.end());

  test('every table is read', async () => {
    expect(await fresh('pump')).toBe(true);
    expect(await fresh('doors')).toEqual([false, true, true]);
    expect(await fresh('setpoint')).toBe(456);
    expect(await fresh('level')).toBe(-40000);
    expect(await fresh('pressure')).toBe(3.25);
  });

  test.each<[string, string, unknown, unknown]>([
    ['a coil', 'pump', false, undefined],
    ['coils', 'lamps', [1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1].map(Boolean), undefined],
    ['a register, with scale and offset', 'setpoint', -15.5, undefined],
    ['a register, rounded to its scale', 'setpoint', 21.4567, 21.5],
    ['two registers, low word first', 'total', 4294967295, undefined],
    ['floats', 'gains', [0.1, -1.5e30], undefined],
  ])('%s is written and read again', async (_what, name, value, read = value) => {
    const answer = await put(server.url, name, value);
    expect(answer).toEqual({ status: 200, body: { name, written: read } });
    expect(await fresh(name)).toEqual(read);
  });

  test('an address that the device does not have is an exception with its name', async () => {
    expect(await fresh('nowhere')).toMatchObject({
      status: 502,
      exception: { code: 2, name: 'ILLEGAL DATA ADDRESS' },
    });
  });

  test.each([
    ['pump', 1, 400],
    ['setpoint', '20', 400],
    ['setpoint', 4000, 400],
    ['total', -1, 400],
    ['gains', [1], 400],
    ['gains', [1, 1e39], 400],
    ['level', 1, 405],
    ['unknown', 1, 404],
  ])('PUT of %s with %j is refused with %d', async (name, value, status) => {
    expect(await put(server.url, name, value)).toMatchObject({ status, body: { status } });
  });

  test('without polling, a point has no value until somebody asks for a fresh one', async () => {
    expect(await server.get('/points/nowhere')).toMatchObject({ status: 502 });
    expect((await server.get('/points/pump?fresh=1')).status).toBe(400);
    const { body } = await server.get('/points');
    expect(body).toMatchObject({ connected: true });
  });
});

test.each([
  ['host', ['{ name: a, table: coils, address: 0 }'], 'host: localhost', 'IPv4 or IPv6'],
  ['type', ['{ name: a, table: coils, address: 0, type: int16 }'], '', 'have the type bool'],
  ['count', ['{ name: a, table: input_registers, address: 0, count: 126 }'], '', 'one request'],
  ['address', ['{ name: a, table: input_registers, address: 65535, type: int32 }'], '', '65535'],
  ['write', ['{ name: a, table: input_registers, address: 0, write: single }'], '', 'cannot be written'],
  [
    'single',
    ['{ name: a, table: holding_registers, address: 0, type: int32, write: single }'],
    '',
    'multiple',
  ],
  ['name', Array(2).fill('{ name: a, table: coils, address: 0 }') as string[], '', 'the same name'],
])('a configuration with a wrong %s is explained', async (_what, points, config, reason) => {
  const yaml = modbusYaml(1502, { points });
  const server = await startServer(config === '' ? yaml : yaml.replace('host: 127.0.0.1', config));
  expect(server.plugin('modbus')).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining(reason) as unknown,
  });
});
