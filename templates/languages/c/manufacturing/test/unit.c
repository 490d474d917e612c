#include "unit.h"

static const char *send(const char *request) {
    return plugin_vtable().process_endpoint("/readings", "POST", request);
}

int main(void) {
    CHECK(plugin_vtable().initialize("{\"factor\":0.5,\"low\":1,\"high\":9}") == 0);

    const char *answer = send(REQUEST("{}", "{}", "json", "{\"sensor\":\"a\",\"raw\":[10,1,20]}"));
    CHECK(contains(answer, "\"values\":[5,0.5,10]"));
    CHECK(contains(answer, "{\"index\":1,\"limit\":\"low\",\"value\":0.5}"));
    CHECK(contains(answer, "{\"index\":2,\"limit\":\"high\",\"value\":10}"));

    CHECK(contains(send(REQUEST("{}", "{}", "json", "{\"raw\":[1]}")), "\"status\":422"));
    CHECK(contains(send(REQUEST("{}", "{}", "text", "\"raw\"")), "\"status\":422"));

    puts("unit: ok");
    return 0;
}
