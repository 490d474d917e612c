import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER } from '../../plugin/payload.mjs';
import { announce } from '../http/announce.mjs';

/** Runs nginx in the foreground, as one process, on a free loopback port, with files in its own folder. */
const [nginx, njs] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'backworks-bench-nginx-'));
const port = await freePort();
const pidFile = join(folder, 'pid');

writeFileSync(join(folder, 'answer.js'), script());
writeFileSync(join(folder, 'nginx.conf'), configuration());
const child = spawn(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
const exited = new Promise((resolve) => child.once('exit', resolve));
await untilItListens();
announce(
  `http://127.0.0.1:${port}`,
  async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true });
  },
  [child.pid],
);

function configuration() {
  return `
    load_module ${njs};
    daemon off;
    master_process off;
    pid ${pidFile};
    events { worker_connections 16384; }
    http {
      access_log off;
      keepalive_requests 100000000;
      js_import hooks from answer.js;
      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      server {
        listen 127.0.0.1:${port};
        location /weather/ { js_content hooks.answer; }
      }
    }`;
}

/** The bench plugin's three hooks, in JavaScript, within nginx. */
function script() {
  return `
    const body = ${JSON.stringify(ANSWER)};
    let seen = 0;
    const look = (document) => { seen += document.length; };
    function answer(r) {
      const document = JSON.stringify({ method: r.method, path: r.uri, query: r.args, headers: r.headersIn });
      look(document);
      look(document);
      look(JSON.stringify({ status: 200, headers: { 'content-type': 'application/json' }, body }));
      r.headersOut['content-type'] = 'application/json';
      r.return(200, body);
    }
    export default { answer };`;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address();
      probe.close(() => resolve(free));
    });
  });
}

async function untilItListens() {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      if (Number(readFileSync(pidFile, 'utf8')) > 0) return;
    } catch {
      if (child.exitCode !== null) throw new Error(`nginx exited with code ${child.exitCode}`);
    }
    await sleep(50);
  }
  throw new Error('nginx does not listen');
}
