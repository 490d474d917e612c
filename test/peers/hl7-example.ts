import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram, type StartedProgram } from './started-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const EXAMPLE = join(root, 'examples/hl7');
/** As in the README. */
export const BUILD = 'go -C examples/hl7 build -buildmode=c-shared -o plugins/libhl7.so';
export const PYTHONPATH = join(root, 'build/peers/python');

/** Runs a line of the shell in the repository's root. @returns stdout @throws Error with the output when it fails */
export function shell(line: string, input = ''): string {
  const env = { ...process.env, PYTHONPATH, GOFLAGS: '-buildvcs=false', GOPROXY: 'off', GOWORK: 'off' };
  return execFileSync('sh', ['-c', line], { cwd: root, env, input, encoding: 'utf8' });
}

/** A message of examples/hl7/messages. */
export const message = (name: string): Buffer => readFileSync(join(EXAMPLE, 'messages', `${name}.hl7`));

/** Starts the peer of the README, by default on a free port. `said` is its port. */
export const startPeer = (port = '0', encoding = 'utf-8'): Promise<StartedProgram> =>
  startProgram(['python3', 'examples/hl7/peer.py', port, encoding], { ready: /^(\d+)$/, env: { PYTHONPATH } });

/** YAML of a server with the plugin, for a peer at `port` of 127.0.0.1. */
export const hl7Yaml = (port: number | string, config = '', call = '60s'): string => `
endpoints:
  messages: { path: '/messages/{action}', methods: [POST], plugin: hl7 }
plugins:
  hl7:
    path: ${EXAMPLE}/plugins/libhl7.so
    timeouts: { call: ${call} }
    permissions: { network: { connect: [${port}] } }
    config: { peer_port: ${port}, ${config} }
`;

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
  /** The JSON of the body; null when it is none. */
  readonly json: any;
}

/** Sends a body to /messages/`action`. */
export async function post(
  url: string,
  action: string,
  body: Buffer | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/messages/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/hl7-v2', ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, bytes, json: type.includes('json') ? JSON.parse(bytes.toString()) : null };
}
