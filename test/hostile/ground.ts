import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPluginUsers } from '../../dist/config/load/load.js';
import { pluginUsers } from '../../dist/plugins/plugin-users.js';

/** The user that runs the plugin `hostile`; null when the server does not run as root. */
const PLUGIN_USER = pluginUsers(defaultPluginUsers()).of('hostile');

/** Directories and listening ports that a row can grant to its plugin. */
export class Ground {
  /** Ports that received a connection, in order. */
  readonly connections: number[] = [];
  /** Ports and directories in the order of their creation. */
  readonly ports: number[] = [];
  readonly directories: string[] = [];
  private readonly path = mkdtempSync(join(tmpdir(), 'backworks-hostile-'));
  private readonly servers: Server[] = [];

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** Makes a directory of the plugin's user, with a file `readme` and a `link` to /etc/passwd in it. */
  directory(name: string): string {
    const directory = join(this.path, name);
    mkdirSync(directory);
    this.directories.push(directory);
    writeFileSync(join(directory, 'readme'), 'text');
    symlinkSync('/etc/passwd', join(directory, 'link'));
    if (PLUGIN_USER !== null)
      for (const owned of [directory, join(directory, 'readme')])
        chownSync(owned, PLUGIN_USER.id, PLUGIN_USER.id);
    return directory;
  }

  /** Listens on a free loopback port, and returns it. */
  async listen(): Promise<number> {
    const server = createServer((socket) => {
      this.connections.push((server.address() as AddressInfo).port);
      socket.on('error', () => undefined).end();
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    this.ports.push(port);
    return port;
  }

  /** A loopback port on which nothing listens. */
  async freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  /** Waits until every earlier connection to the ports has been counted. */
  async settle(): Promise<void> {
    const last = await this.listen();
    await new Promise((resolve) => createConnection(last, '127.0.0.1').once('close', resolve).resume());
    this.connections.splice(this.connections.indexOf(last), 1);
  }

  remove(): void {
    for (const server of this.servers) server.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}
