#include "unit.h"

int main(void) {
    PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize("{\"greeting\":\"good day\",\"repeat\":2}") == 0);

    const char *ada = REQUEST("{\"name\":\"Ada\"}", "{}", "text", "null");
    const char *answer = plugin.process_endpoint("/hello/{name}", "GET", ada);
    CHECK(contains(answer, "\"greetings\":[\"good day Ada\",\"good day Ada\"]"));

    const char *nobody = REQUEST("{}", "{}", "text", "null");
    CHECK(plugin.process_endpoint("/other", "GET", nobody) == NULL);

    puts("unit: ok");
    return 0;
}
