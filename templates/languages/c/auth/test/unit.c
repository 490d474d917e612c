#include "unit.h"

int main(void) {
    PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize("{\"keys\":[\"first\",\"second\"]}") == 0);

    const char *known = REQUEST("{}", "{\"x-api-key\":\"second\"}", "text", "null");
    const char *answer = plugin.before_request(known);
    CHECK(contains(answer, "\"headers\":{\"x-api-key\":null}"));
    CHECK(contains(answer, "\"authenticated\":true"));

    const char *unknown = REQUEST("{}", "{\"x-api-key\":\"sec\"}", "text", "null");
    CHECK(contains(plugin.before_request(unknown), "\"status\":401"));

    const char *without = REQUEST("{}", "{}", "text", "null");
    CHECK(contains(plugin.before_request(without), "\"status\":401"));

    puts("unit: ok");
    return 0;
}
