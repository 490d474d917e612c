import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** One version of a package, and how to make its archive. */
interface Release {
  readonly manifest: Manifest;
  readonly archive: () => Buffer;
}

/** Archives of `npm run pack`. */
function packedReleases(directory: string): Release[] {
  const archives = readdirSync(directory).filter((file) => file.endsWith('.tgz'));
  return archives.map((file) => {
    const path = join(directory, file);
    const manifest = execFileSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' });
    return { manifest: JSON.parse(manifest) as Manifest, archive: () => readFileSync(path) };
  });
}

/** The packages of a checkout's lock file. Those of other platforms are not installed, so they have no archive. */
function lockedReleases(root: string): Release[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Omit<Manifest, 'name'>>;
  };
  return Object.entries(packages).flatMap(([path, locked]) => {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined) return [];
    const manifest: Manifest = { ...locked, name };
    const archive = (): Buffer =>
      execFileSync('tar', ['-czf', '-', '--transform', 's,^[.],package,', '-C', join(root, path), '.'], {
        maxBuffer: 256 * 1024 * 1024,
      });
    return [{ manifest, archive }];
  });
}

/** An npm registry on 127.0.0.1 with the packed archives, and with the packages that the checkout has installed. */
export class Registry {
  private constructor(private readonly server: Server) {}

  static async start(packages: string, root: string): Promise<Registry> {
    const releases = [...packedReleases(packages), ...lockedReleases(root)];
    const server = createServer((request, response) => {
      const [, kind, name = '', version = ''] =
        /^\/(-\/archive\/)?(.+?)(?:\/-\/(.+))?$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
      const found = releases.filter(({ manifest }) => manifest.name === name);
      if (kind !== undefined) {
        response.end(found.find(({ manifest }) => manifest.version === version)?.archive());
      } else if (found.length > 0) {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(packument(found, `http://${request.headers.host}`)));
      } else {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Registry(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** What a registry says about a package. */
function packument(releases: readonly Release[], registry: string): object {
  const versions = releases.map(({ manifest }) => {
    const tarball = `${registry}/-/archive/${manifest.name}/-/${manifest.version}`;
    return [manifest.version, { ...manifest, dist: { tarball } }] as const;
  });
  const [first] = versions;
  return {
    name: releases[0]?.manifest.name,
    'dist-tags': { latest: first?.[0] },
    versions: Object.fromEntries(versions),
  };
}
