import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram, type StartedProgram } from '../fixtures/started-program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const EXAMPLE = join(root, 'examples/hl7');
/** Builds LIBRARY, as in the README. */
export const BUILD = 'go -C examples/hl7 build -buildmode=c-shared -o plugins/libhl7.so';
const LIBRARY = join(EXAMPLE, 'plugins/libhl7.so');
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
  startProgram(['python3', 'examples/hl7/peer.py', port, encoding], {
    ready: /^(\d+)$/,
    env: { PYTHONPATH },
  });

/** YAML of a server with the plugin, for a peer at `port` of 127.0.0.1. */
export const hl7Yaml = (port: number | string, config = '', call = '60s', library = LIBRARY): string => `
endpoints:
  messages: { path: '/messages/{action}', methods: [POST], plugin: hl7 }
plugins:
  hl7:
    path: ${library}
    timeouts: { call: ${call} }
    permissions: { network: { connect: [${port}] } }
    config: { peer_port: ${port}, ${config} }
`;

/** A part of a message in the plugin's JSON. */
export type Node =
  | string
  | {
      readonly repetitions?: readonly Node[];
      readonly components?: readonly Node[];
      readonly subcomponents?: readonly Node[];
      readonly raw?: string;
      readonly text?: string;
    };

export interface Segment {
  readonly name: string;
  readonly fields: Node[];
}

/** The members of the plugin's answers. Each kind of answer has some of them. */
export interface AnswerJson {
  readonly title: string;
  readonly detail: string;
  readonly segments: Segment[];
  readonly findings: readonly { readonly location: string }[];
  readonly acknowledgement: { readonly text: string };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
  /** The JSON of the body; empty when the body is a message. */
  readonly json: AnswerJson;
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
  const json = JSON.parse(type.includes('json') ? bytes.toString() : '{}') as AnswerJson;
  return { status: response.status, type, bytes, json };
}
