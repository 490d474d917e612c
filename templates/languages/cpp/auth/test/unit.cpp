#include "unit.hpp"

int main() {
    const PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize(R"({"keys":["first","second"]})") == 0);

    const auto known = request("{}", R"({"x-api-key":"second"})");
    const std::string answer = plugin.before_request(known.c_str());
    CHECK(contains(answer.c_str(), R"("headers":{"x-api-key":null})"));
    CHECK(contains(answer.c_str(), R"("authenticated":true)"));

    const auto unknown = request("{}", R"({"x-api-key":"sec"})");
    CHECK(contains(plugin.before_request(unknown.c_str()), R"("status":401)"));

    const auto without = request("{}", "{}");
    CHECK(contains(plugin.before_request(without.c_str()), R"("status":401)"));

    std::puts("unit: ok");
}
