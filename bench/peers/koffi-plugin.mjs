import koffi from 'koffi';

/** koffi closes a library whose handle is collected, even while pointers into it are in use. */
const libraries = [];

/** The benchmark's plugin, called with koffi and nothing else. */
export function loadWithKoffi(path) {
  const before = koffi.proto('const char *before_request(const char *)');
  const after = koffi.proto('const char *after_response(const char *)');
  const endpoint = koffi.proto('const char *process_endpoint(const char *, const char *, const char *)');
  const table = koffi.struct('PluginVTable', {
    initialize: 'void *',
    shutdown: 'void *',
    health_check: 'void *',
    before_request: 'void *',
    after_response: 'void *',
    process_endpoint: 'void *',
  });
  const library = koffi.load(path);
  libraries.push(library);
  const vtable = library.func('plugin_vtable', table, [])();
  const hook = (pointer, prototype) => (pointer === null ? null : koffi.decode(pointer, prototype));
  return {
    beforeRequest: hook(vtable.before_request, before),
    processEndpoint: hook(vtable.process_endpoint, endpoint),
    afterResponse: hook(vtable.after_response, after),
  };
}
