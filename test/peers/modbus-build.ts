import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const EXAMPLE = `${root}examples/modbus`;
export const LIBRARY = `${EXAMPLE}/plugins/libmodbus_plugin.so`;

/** Builds the plugin and the device with the commands of the README. */
export function buildExample(): void {
  for (const target of [[], ['boiler']]) {
    execFileSync('make', ['-C', EXAMPLE, ...target, 'CFLAGS=-O1 -g -Wall -Wextra -Werror'], {
      stdio: 'pipe',
    });
  }
}

/** YAML of a server with the plugin, for a device at `port` of 127.0.0.1. */
export function modbusYaml(
  port: number,
  {
    points,
    config = '',
    plugin = '',
  }: { readonly points: readonly string[]; readonly config?: string; readonly plugin?: string },
): string {
  return `
endpoints:
  points: { path: /points, methods: [GET], plugin: modbus }
  point: { path: '/points/{name}', methods: [GET, PUT], plugin: modbus }
plugins:
  modbus:
    path: ${LIBRARY}
    permissions: { network: { connect: [${port}] } }
    ${plugin}
    config:
      host: 127.0.0.1
      port: ${port}
      ${config}
      points:
${points.map((point) => `        - ${point}`).join('\n')}
`;
}

/** Sends `PUT /points/{name}` with a value. */
export async function put(
  url: string,
  name: string,
  value: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/points/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  });
  return { status: response.status, body: await response.json() };
}
