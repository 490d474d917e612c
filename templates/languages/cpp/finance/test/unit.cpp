#include "unit.hpp"

// A copy, because the plugin keeps an answer until its next call only.
static std::string send(const std::string &order) {
    const auto document = request("{}", "{}", "json", order);
    return plugin_vtable().process_endpoint("/orders", "POST", document.c_str());
}

static std::string priced(const std::string &price) {
    return send(R"({"symbol":"ACME","side":"buy","quantity":3,"price":")" + price + R"("})");
}

int main() {
    CHECK(plugin_vtable().initialize(R"({"symbols":["ACME"]})") == 0);

    // Prices are read without rounding.
    CHECK(contains(priced("1.5").c_str(), R"("notional":"4.5000")"));
    CHECK(contains(priced("7").c_str(), R"("notional":"21.0000")"));
    CHECK(contains(priced("0.0001").c_str(), R"("notional":"0.0003")"));
    for (const char *wrong : {"", ".", "1.", ".5", "1.23456", "-1", "1e3", "1 ", "0"}) {
        CHECK(contains(priced(wrong).c_str(), R"("errors":[{"field":"price")"));
    }

    // Every wrong field is named.
    const std::string answer = send(R"({"symbol":"XYZ"})");
    for (const char *field : {"symbol", "side", "quantity", "price"}) {
        CHECK(contains(answer.c_str(), R"({"field":")" + std::string(field) + '"'));
    }

    std::puts("unit: ok");
}
