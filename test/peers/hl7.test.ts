/** The HL7 example against a peer of others: the Python package hl7. A second package, hl7apy, reads what it writes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { BUILD, EXAMPLE, hl7Yaml, message, post, PYTHONPATH, shell, startPeer } from './hl7-example.js';
import { type Path, secondOpinion, valuesOf } from './hl7-second-opinion.js';
import { documentedCommands, runDocumented } from './readme-commands.js';
import { startProgram, type StartedProgram } from '../fixtures/started-program.js';

const BUILD_MS = 300_000;
const TEST_MS = 120_000;
const MESSAGES = ['adt-a01', 'oru-r01', 'batch', 'invalid-a01'];

beforeAll(() => {
  shell(BUILD);
}, BUILD_MS);

test('the unit tests in Go pass', () => void shell('go -C examples/hl7 test ./...'), BUILD_MS);

describe('README.md', () => {
  let peer: StartedProgram;
  let server: StartedProgram;

  beforeAll(async () => {
    peer = await startPeer();
    const command = ['dist/cli/main.js', 'start', '--config', 'examples/hl7/backworks.yaml'];
    server = await startProgram([process.execPath, ...command], {
      ready: /listening on (http:\/\/[\d.]+:\d+)/,
      env: { PORT: '0', ADMIN_PORT: '0', HL7_PEER_PORT: peer.said },
    });
  }, TEST_MS);

  afterAll(async () => {
    await server.end();
    await peer.end();
  });

  const readme = readFileSync(`${EXAMPLE}/README.md`, 'utf8');
  const commands = documentedCommands(`${EXAMPLE}/README.md`);

  test('shows the build and a request to every endpoint', () => {
    expect(readme).toContain(BUILD);
    for (const action of ['parse', 'build', 'validate', 'acknowledge', 'send'])
      expect(commands.some(({ command }) => command.includes(`/messages/${action}`))).toBe(true);
  });

  test.each(commands)('the answer to $command is the documented one', ({ command, answer }) => {
    expect(runDocumented(command, server.said)).toBe(answer);
  });
});

describe('the Python package hl7 as the receiver', () => {
  let peer: StartedProgram;
  let server: TestServer;
  const send = (body = message('adt-a01')) => post(server.url, 'send', body);
  const accepted = { code: 'AA', control_id: 'MSG00001' };

  beforeAll(async () => {
    peer = await startPeer();
    server = await startServer(hl7Yaml(peer.said, 'reply_timeout: 60s, connect_timeout: 60s'));
  }, TEST_MS);

  afterAll(() => peer.end());

  test('accepts a message, and the acknowledgement is JSON or the message itself', async () => {
    expect(await send()).toMatchObject({ status: 200, json: accepted });
    const raw = await post(server.url, 'send', message('adt-a01'), { accept: 'application/hl7-v2' });
    expect(raw).toMatchObject({ status: 200, type: 'application/hl7-v2' });
    expect(raw.bytes.toString()).toMatch(/^MSH\|.*\rMSA\|AA\|MSG00001\r$/);
  });

  test('gets segments that end with CR when the client sends line feeds', async () => {
    const lines = Buffer.from(message('adt-a01').toString().replaceAll('\r', '\n'));
    expect(await send(lines)).toMatchObject({ status: 200, json: accepted });
  });

  test('may close the connection between two messages', async () => {
    expect((await send()).status).toBe(200);
    await peer.end('SIGKILL');
    peer = await startPeer(peer.said);
    expect((await send()).status).toBe(200);
  });

  test(
    'may be away: the answer is 503 until it is back, and the plugin is degraded',
    async () => {
      await peer.end('SIGKILL');
      const { status, type, json } = await send();
      expect({ status, type }).toEqual({ status: 503, type: 'application/problem+json' });
      expect(json).toMatchObject({ title: 'Peer not connected', status: 503 });
      expect((await send()).status).toBe(503);
      peer = await startPeer(peer.said);
      let last = 503;
      while (last === 503) last = (await send()).status;
      expect(last).toBe(200);
    },
    TEST_MS,
  );

  test(
    'gets messages from the next process when the plugin is killed',
    async () => {
      expect((await send()).status).toBe(200);
      const pid = server.plugin('hl7').processes[0]?.pid;
      process.kill(Number(pid), 'SIGKILL');
      await eventually(() => {
        const [process] = server.plugin('hl7').processes;
        return process !== undefined && process.pid !== pid && server.plugin('hl7').state === 'ready';
      }, 'a new process');
      expect(await send()).toMatchObject({ status: 200, json: accepted });
    },
    TEST_MS,
  );

  test(
    'reads 8859/1 as it was sent',
    async () => {
      const latin = await startPeer('0', 'latin-1');
      try {
        const { url } = await startServer(hl7Yaml(latin.said, 'reply_timeout: 60s'));
        const named = Buffer.from(
          message('oru-r01').toString('latin1').replace('|LAB|LAB|', '|LAB|Müll|'),
          'latin1',
        );
        const { status, json } = await post(url, 'send', named);
        expect({ status, text: json.acknowledgement.text }).toEqual({
          status: 502,
          text: 'unknown application Müll',
        });
      } finally {
        await latin.end();
      }
    },
    TEST_MS,
  );
});

describe('reading and writing', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(hl7Yaml(2575));
  }, TEST_MS);

  const build = (json: unknown) =>
    post(server.url, 'build', JSON.stringify(json), { 'content-type': 'application/json' });

  test.each(MESSAGES)('%s comes back byte for byte from its JSON', async (name) => {
    const parsed = await post(server.url, 'parse', message(name));
    expect(parsed.status).toBe(200);
    const built = await build(parsed.json);
    expect(built).toMatchObject({ status: 200, type: 'application/hl7-v2' });
    expect(built.bytes.equals(message(name))).toBe(true);
  });

  test.each([
    ['adt-a01', 'utf8'],
    ['oru-r01', 'latin1'],
  ] as const)('two Python packages read %s as the plugin does, and find it valid', async (name, encoding) => {
    // The packages translate formatting commands, each in its own way.
    const text = message(name).toString(encoding).replaceAll('\\.br\\', ' ');
    const { json } = await post(server.url, 'parse', Buffer.from(text, encoding));
    const values = valuesOf(json.segments);
    expect(values.length).toBeGreaterThan(30);
    const read = secondOpinion(
      text,
      values.map(({ path }) => path),
    );
    expect(read).toEqual({ values: values.map((value) => value.text), er7: text.trim(), valid: true });
  });

  test('the packages read the delimiters in values that were built from JSON', async () => {
    const { json } = await post(server.url, 'parse', message('adt-a01'));
    json.segments[2]!.fields[4] = { components: ['|^~\\&', 'Jana', 'ü'] };
    const { bytes } = await build(json);
    const paths = [1, 2, 3].map((component): Path => ['PID', 1, 5, 1, component, 1]);
    expect(secondOpinion(bytes.toString(), paths).values).toEqual(['|^~\\&', 'Jana', 'ü']);
  });

  test('hl7apy, too, refuses the invalid message', async () => {
    const { json } = await post(server.url, 'validate', message('invalid-a01'));
    expect(json.findings.map(({ location }) => location)).toEqual(['PID-5', 'PID-7', 'PV1']);
    expect(secondOpinion(message('invalid-a01').toString()).valid).not.toBe(true);
  });

  test.each(['AA', 'AE', 'AR'])(
    'the packages read the acknowledgement %s that the plugin builds',
    async (code) => {
      const { bytes } = await post(server.url, `acknowledge?code=${code}`, message('invalid-a01'));
      const paths: Path[] = [
        ['MSH', 1, 5, 1, 1, 1],
        ['MSA', 1, 1, 1, 1, 1],
        ['MSA', 1, 2, 1, 1, 1],
      ];
      const read = secondOpinion(bytes.toString(), paths);
      expect(read).toMatchObject({ values: ['ADT', code, 'MSG00005'], valid: true });
      expect(bytes.toString().includes('ERR||PID^1^7^1|102^Data type error^HL70357|E|')).toBe(code !== 'AA');
    },
  );

  test.each([
    ['', 'the body is an HL7 message'],
    ['PID|1\r', 'segment 1, PID: the document begins with MSH, BHS or FHS'],
    ['MSH|^~\\&|A\rPID|1||||M\xfcller\r', 'segment 2, PID-5: the bytes 4D'],
    ['MSH|^~\\&|A\rPID|\x1c\r', 'segment 2, PID-1: the control character 0x1C'],
  ])('the document %j is refused with the place', async (text, detail) => {
    const { status, json } = await post(server.url, 'parse', Buffer.from(text, 'latin1'));
    expect({ status, detail: json.detail }).toEqual({ status: 400, detail: expect.stringContaining(detail) });
  });

  test('a message that is too long is refused with 413, and so is one with too long a JSON', async () => {
    expect((await post(server.url, 'parse', Buffer.alloc(262_145, 'a'))).status).toBe(413);
    const wide = `MSH|^~\\&|${'\\X41\\&'.repeat(40_000)}`;
    expect((await post(server.url, 'parse', wide)).status).toBe(413);
  });

  test('a batch file is not sent', async () => {
    expect((await post(server.url, 'send', message('batch'))).status).toBe(400);
  });
});

test('the peer needs only what scripts/install-peers.mjs installs', () => {
  expect(shell('python3 -c "import hl7; print(hl7.__file__)"').trim().startsWith(PYTHONPATH)).toBe(true);
});
