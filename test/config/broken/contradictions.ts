import type { Case } from './case.js';

/** Files that contradict themselves. */
export const CONTRADICTIONS: readonly Case[] = [
  [
    'a webhook that is not a URL and may be part of a secret',
    'alerts: { webhook: hooks.example/secret }',
    '1:20: alerts.webhook: this must be an http or https URL without a user name — put credentials into alerts.headers',
  ],
  [
    'a webhook with a password',
    'alerts: { webhook: "https://user:secret@hooks.example/" }',
    '1:20: alerts.webhook: this must be an http or https URL without a user name — put credentials into alerts.headers',
  ],
  [
    'a webhook of another protocol',
    'alerts: { webhook: "ftp://hooks.example/" }',
    '1:20: alerts.webhook: this must be an http or https URL without a user name — put credentials into alerts.headers',
  ],
  [
    'an alert header that only the server sets',
    'alerts: { headers: { Content-Type: text/plain } }',
    '1:36: alerts.headers.Content-Type: the server sets this header — remove it',
  ],
  [
    'a header rule for a header that frames the message',
    'server: { headers: { response: { set: { Content-Length: "1" } } } }',
    '1:57: server.headers.response.set.Content-Length: only the server writes the header content-length — remove it',
  ],
  [
    'a header rule for the host of a request',
    'endpoints: { a: { path: /a, response: {}, headers: { request: { remove: [Host] } } } }',
    '1:74: endpoints.a.headers.request.remove[0]: only the server writes the header host — remove it',
  ],
  [
    'a redirect whose host a request would choose',
    'endpoints: { a: { path: "/a/{host}", redirect: { to: "https://{host}/" } } }',
    '1:54: endpoints.a.redirect.to: expected a path that starts with one "/", or an http or https URL whose host is written out, found "https://{host}/"',
  ],
  [
    'a redirect to another host without a scheme',
    'endpoints: { a: { path: /a, redirect: { to: "//evil.example" } } }',
    '1:45: endpoints.a.redirect.to: expected a path that starts with one "/", or an http or https URL whose host is written out, found "//evil.example"',
  ],
  [
    'a redirect with a parameter that the path does not have',
    'endpoints: { a: { path: "/a/{id}", redirect: { to: "/b/{name}" } } }',
    '1:52: endpoints.a.redirect.to: expected a URL with parameters of the path of the endpoint, found "/b/{name}" — the path has {id}',
  ],
  [
    'a redirect that no header can carry',
    'endpoints: { a: { path: /a, redirect: { to: "/grün" } } }',
    '1:45: endpoints.a.redirect.to: expected a URL in ASCII, found "/grün" — percent-encode the other characters',
  ],
  [
    'a plugin without path and type',
    `plugins:
  a: { enabled: false }`,
    '2:3: plugins.a: neither "path" nor "type" says where the plugin is',
  ],
  [
    'an external plugin without path',
    `plugins:
  a: { type: external }`,
    '2:3: plugins.a: the key "path" is missing — an external plugin is a library file',
  ],
  [
    'a builtin plugin with path',
    `plugins:
  a: { type: builtin, path: x }`,
    '2:29: plugins.a.path: a builtin plugin has no path — remove it, or set type to "external"',
  ],
  [
    'an external plugin with version',
    `plugins:
  a: { path: x, version: "1" }`,
    '2:26: plugins.a.version: only a marketplace plugin has a version — remove it',
  ],
  [
    'in-process without trust',
    `plugins:
  a: { path: x, isolation: in-process }`,
    '2:28: plugins.a.isolation: in-process needs trusted: true — a crash of an in-process plugin ends the server',
  ],
  [
    'in-process twice',
    `plugins:
  a: { path: x, isolation: in-process, trusted: true, instances: 2 }`,
    '2:66: plugins.a.instances: an in-process plugin has one instance — remove it',
  ],
  [
    'an in-process plugin with concurrent calls',
    `plugins:
  a: { path: x, isolation: in-process, trusted: true, limits: { concurrency: 2 } }`,
    `2:78: plugins.a.limits.concurrency: the calls of an in-process plugin run one at a time on the server's own thread — remove it, or set isolation to "process"`,
  ],
  [
    'a reply limit longer than a frame',
    `plugins:
  a: { path: x, limits: { reply: 17MiB } }`,
    '2:34: plugins.a.limits.reply: expected a size of at most 16MiB, found "17MiB"',
  ],
  [
    'a restart delay above max_delay',
    `plugins:
  a: { path: x, restart: { delay: 2s, max_delay: 1999 } }`,
    '2:50: plugins.a.restart.max_delay: "1999" is shorter than restart.delay, "2s"',
  ],
  [
    'a max_delay below the default delay',
    `plugins:
  a: { path: x, restart: { max_delay: 50ms } }`,
    '2:39: plugins.a.restart.max_delay: "50ms" is shorter than restart.delay, "100ms"',
  ],
  [
    'a restart delay above the default max_delay',
    `plugins:
  a: { path: x, restart: { delay: 1m } }`,
    '2:35: plugins.a.restart.delay: "1m" is longer than restart.max_delay, "30s" — raise max_delay as well',
  ],
  [
    'a body limit that is too large',
    'server: { body_limit: 2GiB }',
    '1:23: server.body_limit: expected a size of at most 1GiB, found "2GiB"',
  ],
  [
    'a body limit of an endpoint that is too large',
    'endpoints: { e: { path: /, body_limit: 2GiB } }',
    '1:40: endpoints.e.body_limit: expected a size of at most 1GiB, found "2GiB"',
  ],
  [
    'a directory twice',
    `plugins:
  auto_discover: { directories: [./a, b, a/] }`,
    '2:42: plugins.auto_discover.directories[2]: the directory "a/" is already in the list',
  ],
  [
    'one port twice',
    'admin: { port: 8080 }',
    '1:16: admin.port: server.port already uses this port — choose another port',
  ],
  [
    'one token twice',
    'admin: { token: hunter2, read_token: hunter2 }',
    '1:38: admin.read_token: admin.token has the same value — with the same token, read access would include control; choose another token',
  ],
  [
    'an endpoint of an unknown plugin',
    `endpoints:
  a: { path: /a, plugin: weather }`,
    '2:26: endpoints.a.plugin: no plugin is called "weather" — add it to plugins, or enable plugins.auto_discover',
  ],
  [
    'an endpoint of a mistyped plugin',
    `endpoints:
  a: { path: /a, plugin: waether }
plugins:
  weather: { path: x }`,
    '2:26: endpoints.a.plugin: no plugin is called "waether" — did you mean "weather"?',
  ],
  [
    'two targets',
    `endpoints:
  a: { path: /a, response: {}, proxy: { target: http://b } }`,
    '2:3: endpoints.a: expected one of plugin, response, proxy, files and redirect, found response and proxy — remove all but one',
  ],
  [
    'a proxy with target and targets',
    `endpoints:
  a: { path: /a, proxy: { target: "http://b", targets: ["http://c"] } }`,
    '2:18: endpoints.a.proxy: expected one of target and targets, found both',
  ],
  [
    'a proxy target that is listed twice',
    `endpoints:
  a: { path: /a, proxy: { targets: ["http://b", { url: "http://B/" }] } }`,
    '2:56: endpoints.a.proxy.targets[1].url: "http://B/" is already in the list',
  ],
  [
    'a prefix that is no beginning of the path',
    `endpoints:
  a: { path: /api2/*, proxy: { target: "http://b", strip_prefix: /api } }`,
    '2:66: endpoints.a.proxy.strip_prefix: expected a beginning of the path "/api2/*", found "/api"',
  ],
  [
    'a retry budget above 100%',
    `endpoints:
  a: { path: /a, proxy: { target: "http://b", retry: { budget: 101% } } }`,
    '2:64: endpoints.a.proxy.retry.budget: expected a percentage of at most 100%, found "101%"',
  ],
  [
    'TLS settings without an https target',
    `endpoints:
  a: { path: /a, proxy: { target: "http://b", tls: { verify: false } } }`,
    '2:47: endpoints.a.proxy.tls: no target is an https URL — remove it',
  ],
  [
    'a client certificate without its key',
    `endpoints:
  a: { path: /a, proxy: { target: "https://b", tls: { certificate: ./c.pem } } }`,
    '2:68: endpoints.a.proxy.tls.certificate: a client certificate needs key, too',
  ],
  [
    'a CA that is not used',
    `endpoints:
  a: { path: /a, proxy: { target: "https://b", tls: { ca: ./c.pem, verify: false } } }`,
    '2:59: endpoints.a.proxy.tls.ca: a CA has no effect when certificates are not verified — remove ca or verify: false',
  ],
  [
    'a proxy target that is not a URL',
    `endpoints:
  a: { path: /a, proxy: { target: localhost } }`,
    '2:35: endpoints.a.proxy.target: expected an http or https URL without a user name, query or fragment, found "localhost"',
  ],
  [
    'a proxy target of another protocol',
    `endpoints:
  a: { path: /a, proxy: { target: ftp://b } }`,
    '2:35: endpoints.a.proxy.target: expected an http or https URL without a user name, query or fragment, found "ftp://b"',
  ],
  [
    'a proxy target with a password',
    `endpoints:
  a: { path: /a, proxy: { target: http://me:hunter2@b } }`,
    '2:35: endpoints.a.proxy.target: expected an http or https URL without a user name, query or fragment, found "http://…@b"',
  ],
  [
    'a body for a status without body',
    `endpoints:
  a: { path: /a, response: { status: 204, body: x } }`,
    '2:49: endpoints.a.response.body: a response with status 204 has no body — remove it',
  ],
  [
    'the same path twice',
    `endpoints:
  a: { path: /a }
  b: { path: /a, methods: [GET] }`,
    '3:14: endpoints.b.path: "/a" already belongs to endpoints.a for GET',
  ],
  [
    'the same path with another parameter',
    `endpoints:
  a: { path: "/a/{x}", methods: [GET, PUT] }
  b: { path: "/a/{y}", methods: [PUT, GET] }`,
    '3:14: endpoints.b.path: "/a/{y}" already belongs to endpoints.a for PUT, GET',
  ],
  [
    'the same path for every method',
    `endpoints:
  a: { path: /a }
  b: { path: /a }`,
    '3:14: endpoints.b.path: "/a" already belongs to endpoints.a for every method',
  ],
  [
    'a slash at the end',
    `endpoints:
  a: { path: /a/ }`,
    '2:14: endpoints.a.path: expected a path without empty segments, found "/a/" — remove the extra "/"',
  ],
  [
    'a star in the middle',
    `endpoints:
  a: { path: "/a/*/b" }`,
    '2:14: endpoints.a.path: expected a path with "*" only as its last segment, found "/a/*/b"',
  ],
  [
    'a parameter written as :id',
    `endpoints:
  a: { path: "/a/:id" }`,
    '2:14: endpoints.a.path: expected a path of literal segments, {name}, and a final *, found "/a/:id" — write {id}',
  ],
  [
    'a parameter twice',
    `endpoints:
  a: { path: "/{id}/{id}" }`,
    '2:14: endpoints.a.path: expected a path that names each parameter once, found "/{id}/{id}"',
  ],
  [
    'a query in a path',
    `endpoints:
  a: { path: "/a?b" }`,
    '2:14: endpoints.a.path: expected a path of literal segments, {name}, and a final *, found "/a?b"',
  ],
  [
    'a canary that gets every request',
    `plugins:
  a: { path: x, swap: { canary: { percent: 100% } } }`,
    '2:44: plugins.a.swap.canary.percent: expected a percentage of at most 99%, found "100%"',
  ],
  [
    'an error rate above 100%',
    `plugins:
  a: { path: x, swap: { probation: { max_error_rate: 101 } } }`,
    '2:54: plugins.a.swap.probation.max_error_rate: expected a percentage of at most 100%, found "101"',
  ],
  [
    'a watch of an in-process plugin',
    `plugins:
  a: { path: x, isolation: in-process, trusted: true, swap: { watch: true } }`,
    '2:70: plugins.a.swap.watch: an in-process plugin cannot be swapped — remove it, or set isolation to "process"',
  ],
];
