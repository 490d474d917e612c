import type { Case } from './case.js';

/** Files that break the schema. */
export const SCHEMA: readonly Case[] = [
  ['an empty file', '', '1:1: expected a mapping, found nothing'],
  ['a list', '- a', '1:1: expected a mapping, found a list'],
  ['an unknown key', 'sever: {}', '1:1: sever: unknown key "sever" — did you mean "server"?'],
  [
    'an unknown key without a similar key',
    'logging: { colour: red }',
    '1:12: logging.colour: unknown key "colour" — the keys here are level, format, access',
  ],
  [
    'a merge key',
    `server:
  <<: { port: 1 }`,
    '2:3: server["<<"]: unknown key "<<" — merge keys are not part of YAML 1.2; repeat the values',
  ],
  [
    'a block without content',
    `name: a
server:`,
    '2:8: server: expected a mapping, found nothing — give it a value or remove the key',
  ],
  [
    'a number as name',
    'name: 7',
    '1:7: name: expected a string that is not empty, found 7 — put it in quotes',
  ],
  ['an empty name', 'name: ""', '1:7: name: expected a string that is not empty, found ""'],
  [
    'a version that YAML reads as number',
    'version: 1.0',
    '1:10: version: expected a string, found 1 — put it in quotes',
  ],
  [
    'a webhook that is a number',
    'alerts: { webhook: 12345 }',
    '1:20: alerts.webhook: expected a string, found a number — put it in quotes',
  ],
  [
    'a header of an alert that is a number',
    'alerts: { headers: { x-token: 12345 } }',
    '1:31: alerts.headers.x-token: expected a header value of one line of Latin-1 text, found a number — put it in quotes',
  ],
  [
    'an unknown event',
    'alerts: { on: [recover] }',
    '1:16: alerts.on[0]: expected "degraded", "failed", "quarantined" or "recovered", found "recover" — did you mean "recovered"?',
  ],
  [
    'a port that is too large',
    `server:
  port: 65536`,
    '2:9: server.port: expected a whole number from 0 to 65535, found 65536',
  ],
  [
    'a fraction as port',
    `server:
  port: 80.5`,
    '2:9: server.port: expected a whole number from 0 to 65535, found 80.5',
  ],
  [
    'a port in quotes',
    `server:
  port: "8080"`,
    '2:9: server.port: expected a whole number from 0 to 65535, found "8080" — remove the quotes',
  ],
  [
    'a word as boolean',
    `admin:
  enabled: yes`,
    '2:12: admin.enabled: expected true or false, found "yes" — write true',
  ],
  [
    'a boolean in quotes',
    `admin:
  enabled: "true"`,
    '2:12: admin.enabled: expected true or false, found "true" — remove the quotes',
  ],
  [
    'a host with a scheme',
    `server:
  host: http://a`,
    '2:9: server.host: expected a host name or an IP address, found "http://a"',
  ],
  [
    'a token that is a number',
    `admin:
  token: 48151623`,
    '2:10: admin.token: expected a token of visible ASCII characters, found a number — put it in quotes',
  ],
  [
    'a log level in capitals',
    `logging:
  level: INFO`,
    '2:10: logging.level: expected "trace", "debug", "info", "warn", "error" or "silent", found "INFO" — did you mean "info"?',
  ],
  [
    'a word as duration',
    `plugins:
  weather:
    path: w.so
    timeouts:
      call: fast`,
    '5:13: plugins.weather.timeouts.call: expected a duration such as "100ms", found "fast"',
  ],
  [
    'a duration without unit in quotes',
    'server: { shutdown: { delay: "5" } }',
    '1:30: server.shutdown.delay: expected a duration such as "100ms", found "5"',
  ],
  [
    'a duration of zero',
    'plugins: { a: { path: x, timeouts: { call: 0s } } }',
    '1:44: plugins.a.timeouts.call: expected a duration such as "100ms", found "0s" — it must be above 0',
  ],
  [
    'a duration that is too long',
    'server: { shutdown: { timeout: 100h } }',
    '1:32: server.shutdown.timeout: expected a duration such as "100ms", found "100h" — the duration is too large',
  ],
  [
    'a negative duration',
    'server: { shutdown: { timeout: -1 } }',
    '1:32: server.shutdown.timeout: expected a duration such as "100ms", found -1',
  ],
  [
    'a size with an unknown unit',
    'server: { body_limit: 1TB }',
    '1:23: server.body_limit: expected a size such as "64KiB", found "1TB"',
  ],
  [
    'a fraction as size',
    'server: { body_limit: 1.5 }',
    '1:23: server.body_limit: expected a size such as "64KiB", found 1.5',
  ],
  [
    'a plugin name with a space',
    'plugins: { "my plugin": { path: x } }',
    '1:12: plugins["my plugin"]: expected a name of 1 to 64 letters, digits, "-" and "_", found "my plugin"',
  ],
  [
    'a plugin that is a path',
    'plugins: { weather: ./weather.so }',
    '1:21: plugins.weather: expected a mapping, found "./weather.so"',
  ],
  [
    'a key of a plugin with swapped letters',
    'plugins: { a: { path: x, prioirty: 1 } }',
    '1:26: plugins.a.prioirty: unknown key "prioirty" — did you mean "priority"?',
  ],
  [
    'an unknown isolation',
    'plugins: { a: { path: x, isolation: proces } }',
    '1:37: plugins.a.isolation: expected "process" or "in-process", found "proces" — did you mean "process"?',
  ],
  [
    'no workers',
    'server: { workers: 0 }',
    '1:20: server.workers: expected a whole number from 1 to 256, or auto, found 0',
  ],
  [
    'a word for workers',
    'server: { workers: all }',
    '1:20: server.workers: expected a whole number from 1 to 256, or auto, found "all"',
  ],
  [
    'more concurrent calls than threads are allowed',
    'plugins: { a: { path: x, limits: { concurrency: 65 } } }',
    '1:49: plugins.a.limits.concurrency: expected a whole number from 1 to 64, found 65',
  ],
  [
    'no instances',
    'plugins: { a: { path: x, instances: 0 } }',
    '1:37: plugins.a.instances: expected a whole number from 1 to 64, found 0',
  ],
  [
    'a string as configuration',
    'plugins: { a: { path: x, config: hunter2 } }',
    '1:34: plugins.a.config: expected a mapping, found a string',
  ],
  [
    'an unknown retry condition',
    'plugins: { a: { path: x, retry: { on: [crash, timeuot] } } }',
    '1:47: plugins.a.retry.on[1]: expected "crash", "timeout" or "bad_response", found "timeuot" — did you mean "timeout"?',
  ],
  [
    'a retry condition twice',
    'plugins: { a: { path: x, retry: { on: [crash, crash] } } }',
    '1:47: plugins.a.retry.on[1]: the list already has this entry — remove it',
  ],
  [
    'an endpoint without path',
    `endpoints:
  city: { methods: [GET] }`,
    '2:3: endpoints.city: the key "path" is missing',
  ],
  [
    'a path without slash',
    'endpoints: { a: { path: city } }',
    '1:25: endpoints.a.path: expected a path that starts with "/", found "city"',
  ],
  [
    'a method in small letters',
    'endpoints: { a: { path: /a, methods: [get] } }',
    '1:39: endpoints.a.methods[0]: expected "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS", found "get" — did you mean "GET"?',
  ],
  [
    'no methods',
    'endpoints: { a: { path: /a, methods: [] } }',
    '1:38: endpoints.a.methods: expected a list that is not empty, found an empty list',
  ],
  [
    'a proxy without target',
    'endpoints: { a: { path: /a, proxy: {} } }',
    '1:29: endpoints.a.proxy: expected one of target and targets, found neither',
  ],
  [
    'a header name with a space',
    'endpoints: { a: { path: /a, response: { headers: { "x y": a } } } }',
    '1:52: endpoints.a.response.headers["x y"]: expected a header name, found "x y"',
  ],
  [
    'a header value of two lines',
    'endpoints: { a: { path: /a, response: { headers: { x: "a\\nb" } } } }',
    '1:55: endpoints.a.response.headers.x: expected a header value of one line of Latin-1 text, found "a\\nb"',
  ],
  [
    'a status that is not final',
    'endpoints: { a: { path: /a, response: { status: 101 } } }',
    '1:49: endpoints.a.response.status: expected a whole number from 200 to 599, found 101',
  ],
  [
    'a directory that is a number',
    'plugins: { auto_discover: { directories: [./a, 1] } }',
    '1:48: plugins.auto_discover.directories[1]: expected a string that is not empty, found 1 — put it in quotes',
  ],
  [
    'no delay before a restart',
    'plugins: { a: { path: x, restart: { delay: 0s } } }',
    '1:44: plugins.a.restart.delay: expected a duration such as "100ms", found "0s" — it must be above 0',
  ],
  [
    'a health check without time',
    'plugins: { a: { path: x, health: { timeout: 0 } } }',
    '1:45: plugins.a.health.timeout: expected a duration such as "100ms", found 0 — it must be above 0',
  ],
  [
    'a negative number of failures',
    'plugins: { a: { path: x, quarantine: { failures: -1 } } }',
    '1:50: plugins.a.quarantine.failures: expected a whole number from 0 to 1000000, found -1',
  ],
];
