#include "unit.hpp"

// A copy, because the plugin keeps an answer until its next call only.
static std::string send(const std::string &body, const std::string &encoding = "json") {
    const auto document = request("{}", "{}", encoding, body);
    return plugin_vtable().process_endpoint("/readings", "POST", document.c_str());
}

int main() {
    CHECK(plugin_vtable().initialize(R"({"factor":0.5,"low":1,"high":9})") == 0);

    const std::string answer = send(R"({"sensor":"a","raw":[10,1,20]})");
    CHECK(contains(answer.c_str(), R"("values":[5,0.5,10])"));
    CHECK(contains(answer.c_str(), R"({"index":1,"limit":"low","value":0.5})"));
    CHECK(contains(answer.c_str(), R"({"index":2,"limit":"high","value":10})"));

    CHECK(contains(send(R"({"raw":[1]})").c_str(), R"("status":422)"));
    CHECK(contains(send(R"("raw")", "text").c_str(), R"("status":422)"));

    std::puts("unit: ok");
}
