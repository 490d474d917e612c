/** Workers share a TLS port, and each reads changed certificates. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { certificateFolder, TestAuthority, type TestCertificate } from '../fixtures/certificates.js';
import { eventually } from '../fixtures/server.js';
import { Cluster } from './cluster.js';

jest.setTimeout(120_000);

const folder = certificateFolder();
let authority: TestAuthority;
let former: TestCertificate;
let renewed: TestCertificate;
beforeAll(() => {
  authority = new TestAuthority(folder);
  former = authority.issue('former', { san: 'DNS:localhost' });
  renewed = authority.issue('renewed', { san: 'DNS:localhost' });
});

function shown(url: string): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { port: Number(port), host: '127.0.0.1', servername: 'localhost', ca: authority.pem };
    const socket = tls.connect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('every worker uses a renewed certificate', async () => {
  const files = { certificate: join(folder, 'served.pem'), key: join(folder, 'served.key') };
  copyFileSync(former.certificate, files.certificate);
  copyFileSync(former.key, files.key);
  const cluster = await Cluster.launch(
    `server: { port: 0, workers: 2, tls: { certificate: ${files.certificate}, key: ${files.key} } }\n` +
      'admin: { port: 0, token: t }\n',
  );
  expect(cluster.url).toMatch(/^https:/);
  expect(await Promise.all([shown(cluster.url), shown(cluster.url)])).toEqual(['former', 'former']);
  copyFileSync(renewed.certificate, files.certificate);
  copyFileSync(renewed.key, files.key);
  const names: string[] = [];
  await eventually(() => {
    // Connections go to the workers in turn.
    if (names.length < 4)
      void shown(cluster.url).then(
        (name) => names.push(name),
        () => names.push(''),
      );
    else if (!names.slice(-4).every((name) => name === 'renewed')) names.length = 0;
    return names.length >= 4 && names.slice(-4).every((name) => name === 'renewed');
  }, 'both workers with the new certificate');
});

test('a certificate that cannot be used ends the start with one error that has its position', async () => {
  const { command } = Cluster.run(
    `server: { port: 0, workers: 2, tls: { certificate: /nowhere.pem, key: ${former.key} } }\nadmin: { port: 0, token: t }\n`,
  );
  const { code, stderr } = await command.finished;
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^BW_SERVER_TLS: .*config-\d+\.yaml:1:39: server\.tls\.certificate: \/nowhere\.pem: cannot be read/m,
  );
});
