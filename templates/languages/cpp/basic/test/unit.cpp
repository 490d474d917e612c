#include "unit.hpp"

int main() {
    const PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize(R"({"greeting":"good day","repeat":2})") == 0);

    const auto ada = request(R"({"name":"Ada"})", "{}");
    const char *answer = plugin.process_endpoint("/hello/{name}", "GET", ada.c_str());
    CHECK(contains(answer, R"("greetings":["good day Ada","good day Ada"])"));

    const auto nobody = request("{}", "{}");
    CHECK(plugin.process_endpoint("/other", "GET", nobody.c_str()) == nullptr);

    std::puts("unit: ok");
}
