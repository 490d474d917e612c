import koffi from 'koffi';

/**
 * native-sdk/include/backworks_plugin.h for koffi: the same structs, fields and functions, in the same
 * order. test/native/in-process/abi-layout.test.ts compares every size and offset with the C compiler's.
 */

const TEXT = 'const char *';

// Types have no names, because koffi keeps named types for the whole process and allows each name once.

const STATUS = koffi.proto('int32_t', []);
const STATUS_OF_TEXT = koffi.proto('int32_t', [TEXT]);
const TEXT_FUNCTION = koffi.proto(TEXT, []);
const HOOK = koffi.proto(TEXT, [TEXT]);
const ENDPOINT = koffi.proto(TEXT, [TEXT, TEXT, TEXT]);
const OPERATION = koffi.proto(TEXT, [TEXT, TEXT]);
const FREE = koffi.proto('void', ['const void *']);
const BIND_HOST = koffi.proto('int32_t', ['const void *']);
const LOG = koffi.proto('void', ['int32_t', TEXT]);
const METRIC = koffi.proto('void', [TEXT, 'double']);
/** Returns a pointer instead of a text, because koffi would never free the text. */
const KV_GET = koffi.proto('const void *', [TEXT]);
const KV_SET = koffi.proto('int32_t', [TEXT, TEXT, 'uint32_t']);
const HTTP_FETCH = koffi.proto(TEXT, [TEXT]);
const CALL_PLUGIN = koffi.proto(TEXT, [TEXT, TEXT, TEXT]);
const DEADLINE_LEFT = koffi.proto('int64_t', []);
const CANCELLED = koffi.proto('int32_t', []);
const FAIL = koffi.proto('void', [TEXT]);

/** The type of every function a plugin or the host can offer. */
export const PROTOTYPES = {
  initialize: STATUS_OF_TEXT,
  shutdown: STATUS,
  health_check: STATUS,
  before_request: HOOK,
  after_response: HOOK,
  process_endpoint: ENDPOINT,
  manifest: TEXT_FUNCTION,
  free_string: FREE,
  last_error: TEXT_FUNCTION,
  bind_host: BIND_HOST,
  call: OPERATION,
  reconfigure: STATUS_OF_TEXT,
  log: LOG,
  metric: METRIC,
  kv_get: KV_GET,
  kv_set: KV_SET,
  deadline_left_ms: DEADLINE_LEFT,
  cancelled: CANCELLED,
  fail: FAIL,
} as const;

export const PluginInfo = koffi.struct({ name: TEXT, version: TEXT, description: TEXT });

export const PluginVTable = koffi.struct({
  initialize: koffi.pointer(STATUS_OF_TEXT),
  shutdown: koffi.pointer(STATUS),
  health_check: koffi.pointer(STATUS),
  before_request: koffi.pointer(HOOK),
  after_response: koffi.pointer(HOOK),
  process_endpoint: koffi.pointer(ENDPOINT),
});

export const BackworksHost = koffi.struct({
  size: 'uint32_t',
  abi_version: 'uint32_t',
  log: koffi.pointer(LOG),
  metric: koffi.pointer(METRIC),
  kv_get: koffi.pointer(KV_GET),
  kv_set: koffi.pointer(KV_SET),
  http_fetch: koffi.pointer(HTTP_FETCH),
  call: koffi.pointer(CALL_PLUGIN),
  deadline_left_ms: koffi.pointer(DEADLINE_LEFT),
  cancelled: koffi.pointer(CANCELLED),
  fail: koffi.pointer(FAIL),
});

export const BackworksExtensions = koffi.struct({
  size: 'uint32_t',
  abi_version: 'uint32_t',
  flags: 'uint64_t',
  manifest: koffi.pointer(TEXT_FUNCTION),
  free_string: koffi.pointer(FREE),
  last_error: koffi.pointer(TEXT_FUNCTION),
  bind_host: koffi.pointer(BIND_HOST),
  call: koffi.pointer(OPERATION),
  reconfigure: koffi.pointer(STATUS_OF_TEXT),
});

/** BACKWORKS_ABI_VERSION */
export const ABI_VERSION = 1;
/** BACKWORKS_THREAD_SAFE */
export const THREAD_SAFE = 1n;
