#include "unit.hpp"

int main() {
    const PluginVTable plugin = plugin_vtable();
    CHECK(plugin.initialize(R"({"remove":["salary","notes"],"served_by":"a"})") == 0);

    const auto employee = response(R"({"id":1.50,"salary":1})");
    const std::string answer = plugin.after_response(employee.c_str());
    CHECK(contains(answer.c_str(), R"("x-served-by":"a")"));
    CHECK(contains(answer.c_str(), R"("body":{"salary":null})"));

    // Nothing to remove: the body is not named.
    const auto other = response(R"({"id":1})");
    CHECK(!contains(plugin.after_response(other.c_str()), "body"));
    const auto list = response(R"(["salary"])");
    CHECK(!contains(plugin.after_response(list.c_str()), "body"));

    std::puts("unit: ok");
}
