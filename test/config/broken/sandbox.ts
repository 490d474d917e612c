import type { Case } from './case.js';

/** A plugin with `settings`. The settings begin at column 26. */
const plugin = (settings: string): string => `plugins: { a: { path: x, ${settings} } }`;

const reserved = (name: string, reason: string): Case => [
  `the variable ${name}`,
  plugin(`permissions: { env: [TZ, ${name}] }`),
  `1:51: plugins.a.permissions.env[1]: "${name}" cannot be granted: ${reason} — remove it`,
];

const LOADER = 'it changes how libraries are loaded';
const ALLOCATOR = 'it changes how memory is allocated';
const SERVER = 'it is a setting of the server itself';

/** Files with a sandbox setting, permission or limit that is not allowed. */
export const SANDBOX: readonly Case[] = [
  [
    'a sandbox that does not exist',
    plugin('sandbox: besteffort'),
    '1:35: plugins.a.sandbox: expected "strict", "best-effort" or "off", found "besteffort" — did you mean "best-effort"?',
  ],
  [
    'a strict sandbox in-process',
    plugin('sandbox: strict, isolation: in-process, trusted: true'),
    '1:35: plugins.a.sandbox: an in-process plugin has no sandbox — remove it, or set isolation to "process"',
  ],
  [
    'a best-effort sandbox in-process',
    plugin('sandbox: best-effort, isolation: in-process, trusted: true'),
    '1:35: plugins.a.sandbox: an in-process plugin has no sandbox — remove it, or set isolation to "process"',
  ],
  [
    'permission to start programs',
    plugin('permissions: { exec: true }'),
    '1:41: plugins.a.permissions.exec: cannot be granted: a process that can start others can escape its limits — remove it',
  ],
  [
    'permission to use Unix sockets',
    plugin('permissions: { network: { unix: true } }'),
    "1:52: plugins.a.permissions.network.unix: cannot be granted: access to one Unix socket would include all of them, even a container engine's — remove it",
  ],
  [
    'a permission that does not exist',
    plugin('permissions: { files: {} }'),
    '1:41: plugins.a.permissions.files: unknown key "files" — did you mean "filesystem"?',
  ],
  [
    'permissions in a list',
    plugin('permissions: [filesystem]'),
    '1:39: plugins.a.permissions: expected a mapping, found a list',
  ],
  [
    'a host and a port to connect to',
    plugin('permissions: { network: { connect: ["api.example.com:443"] } }'),
    '1:62: plugins.a.permissions.network.connect[0]: expected a whole number from 1 to 65535, found "api.example.com:443" — the kernel cannot restrict a process to a host; grant the port only',
  ],
  [
    'a host to connect to',
    plugin('permissions: { network: { connect: [443, localhost] } }'),
    '1:67: plugins.a.permissions.network.connect[1]: expected a whole number from 1 to 65535, found "localhost" — the kernel cannot restrict a process to a host; grant the port only',
  ],
  [
    'an address to listen on',
    plugin('permissions: { network: { listen: ["127.0.0.1:80"] } }'),
    '1:61: plugins.a.permissions.network.listen[0]: expected a whole number from 1 to 65535, found "127.0.0.1:80" — the kernel cannot restrict a process to a host; grant the port only',
  ],
  [
    'an origin with a path',
    plugin('permissions: { network: { fetch: ["https://api.example.com/v1"] } }'),
    '1:60: plugins.a.permissions.network.fetch[0]: expected an http or https origin without a path, such as "https://api.example.com", found "https://api.example.com/v1"',
  ],
  [
    'a host instead of an origin',
    plugin('permissions: { network: { fetch: [api.example.com] } }'),
    '1:60: plugins.a.permissions.network.fetch[0]: expected an http or https origin without a path, such as "https://api.example.com", found "api.example.com"',
  ],
  [
    'a port in quotes',
    plugin('permissions: { network: { connect: ["443"] } }'),
    '1:62: plugins.a.permissions.network.connect[0]: expected a whole number from 1 to 65535, found "443" — remove the quotes',
  ],
  [
    'port 0',
    plugin('permissions: { network: { connect: [0] } }'),
    '1:62: plugins.a.permissions.network.connect[0]: expected a whole number from 1 to 65535, found 0',
  ],
  [
    'a port above 65535',
    plugin('permissions: { network: { listen: [65536] } }'),
    '1:61: plugins.a.permissions.network.listen[0]: expected a whole number from 1 to 65535, found 65536',
  ],
  [
    'a port twice',
    plugin('permissions: { network: { connect: [443, 443] } }'),
    '1:67: plugins.a.permissions.network.connect[1]: the list already has this entry — remove it',
  ],
  [
    'more ports than a sandbox holds',
    plugin(`permissions: { network: { connect: [${Array.from({ length: 65 }, (_, i) => i + 1).join()}] } }`),
    '1:61: plugins.a.permissions.network.connect: expected at most 64 entries, found 65',
  ],
  [
    'ports for UDP',
    plugin('permissions: { network: { udp: [53] } }'),
    '1:57: plugins.a.permissions.network.udp: expected true or false, found a list',
  ],
  [
    'a path without a list',
    plugin('permissions: { filesystem: { read: ./data } }'),
    '1:61: plugins.a.permissions.filesystem.read: expected a list, found "./data" — write the list in [ ]',
  ],
  [
    'an empty path',
    plugin('permissions: { filesystem: { read: [""] } }'),
    '1:62: plugins.a.permissions.filesystem.read[0]: expected a string that is not empty, found ""',
  ],
  [
    'a path with NUL',
    plugin('permissions: { filesystem: { read: ["a\\0b"] } }'),
    '1:62: plugins.a.permissions.filesystem.read[0]: expected a path without NUL, found "a\\u0000b"',
  ],
  [
    'a path longer than the system allows',
    plugin(`permissions: { filesystem: { read: [/${'a'.repeat(4095)}] } }`),
    `1:62: plugins.a.permissions.filesystem.read[0]: expected a path of less than 4096 bytes, found "/${'a'.repeat(59)}…"`,
  ],
  [
    'writing everywhere',
    plugin('permissions: { filesystem: { write: [/] } }'),
    '1:63: plugins.a.permissions.filesystem.write[0]: "/" would let the plugin change every file — name the directories it needs',
  ],
  [
    'write access to a relative path that is the root',
    plugin('permissions: { filesystem: { write: [../..] } }'),
    '1:63: plugins.a.permissions.filesystem.write[0]: "../.." would let the plugin change every file — name the directories it needs',
  ],
  [
    'a variable with a value',
    plugin('permissions: { env: [TZ=UTC] }'),
    '1:47: plugins.a.permissions.env[0]: expected the name of an environment variable, found "TZ=UTC"',
  ],
  reserved('LD_PRELOAD', LOADER),
  reserved('DYLD_INSERT_LIBRARIES', LOADER),
  reserved('GLIBC_TUNABLES', ALLOCATOR),
  reserved('MALLOC_ARENA_MAX', ALLOCATOR),
  reserved('NODE_OPTIONS', SERVER),
  reserved('node_options', SERVER),
  reserved('BACKWORKS_CACHE', SERVER),
  [
    'less memory than a process needs',
    plugin('limits: { memory: 8191KiB }'),
    '1:44: plugins.a.limits.memory: expected a size of at least 8MiB, found "8191KiB"',
  ],
  [
    'less memory than a process needs, without a sandbox',
    plugin('sandbox: off, limits: { memory: 1 }'),
    '1:58: plugins.a.limits.memory: expected a size of at least 8MiB, found "1"',
  ],
  [
    'fewer files than a process needs',
    plugin('limits: { open_files: 15 }'),
    '1:48: plugins.a.limits.open_files: expected a number of at least 16, found 15',
  ],
  [
    'unlimited memory in a sandbox',
    plugin('limits: { memory: 0 }'),
    '1:44: plugins.a.limits.memory: 0 means unlimited, which needs sandbox: off — give it a limit',
  ],
  [
    'unlimited files in a sandbox',
    plugin('sandbox: best-effort, limits: { open_files: 0 }'),
    '1:70: plugins.a.limits.open_files: 0 means unlimited, which needs sandbox: off — give it a limit',
  ],
  [
    'files of unlimited size in a sandbox',
    plugin('limits: { file_size: 0B }'),
    '1:47: plugins.a.limits.file_size: 0 means unlimited, which needs sandbox: off — give it a limit',
  ],
  [
    'a percentage with a space',
    plugin('limits: { idle_cpu: 20 % }'),
    '1:46: plugins.a.limits.idle_cpu: expected a percentage such as "20%", found "20 %"',
  ],
  [
    'a fraction as percentage',
    plugin('limits: { idle_cpu: 0.2 }'),
    '1:46: plugins.a.limits.idle_cpu: expected a percentage such as "20%", found 0.2',
  ],
  [
    'a percentage that is too large',
    plugin('limits: { idle_cpu: 10000% }'),
    '1:46: plugins.a.limits.idle_cpu: expected a percentage such as "20%", found "10000%" — the percentage is too large',
  ],
];
