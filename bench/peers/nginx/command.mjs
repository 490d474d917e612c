import { existsSync } from 'node:fs';
import { Missing, need } from '../../build.mjs';

/** The paths of the module on Debian and Fedora. */
const NJS = [
  '/usr/lib/nginx/modules/ngx_http_js_module.so',
  '/usr/lib64/nginx/modules/ngx_http_js_module.so',
].find((path) => existsSync(path));

/**
 * One nginx worker whose handler is three njs functions, for comparison with a server written in C.
 * @returns the command line of bench/peers/nginx/serve.mjs
 * @throws Missing
 */
export function nginxCommand() {
  const nginx = need('nginx', 'nginx (Debian: apt-get install nginx-light libnginx-mod-http-js)');
  if (NJS === undefined) throw new Missing('needs njs (Debian: apt-get install libnginx-mod-http-js)');
  return [process.execPath, '--', 'bench/peers/nginx/serve.mjs', nginx, NJS];
}
