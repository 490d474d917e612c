#include "unit.h"

int main(void) {
    PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize("{\"remove\":[\"salary\",\"notes\"],\"served_by\":\"a\"}") == 0);

    const char *answer = plugin.after_response(RESPONSE("{\"id\":1.50,\"salary\":1}"));
    CHECK(contains(answer, "\"x-served-by\":\"a\""));
    CHECK(contains(answer, "\"body\":{\"salary\":null}"));

    /* Nothing to remove: the body is not named. */
    CHECK(!contains(plugin.after_response(RESPONSE("{\"id\":1}")), "body"));
    CHECK(!contains(plugin.after_response(RESPONSE("[\"salary\"]")), "body"));

    puts("unit: ok");
    return 0;
}
