#include <backworks_test.h>

#include <cstdio>
#include <string>

static BackworksTestAnswer send(const std::string &order) {
    return BACKWORKS_TEST_PROCESS_ENDPOINT(
        backworks_test_request((R"({"body":)" + order + "}").c_str()));
}

static BackworksTestAnswer priced(const std::string &price) {
    return send(R"({"symbol":"ACME","side":"buy","quantity":3,"price":")" + price + R"("})");
}

int main() {
    BACKWORKS_TEST_START(R"({"symbols":["ACME"]})");

    // Prices are read without rounding.
    BACKWORKS_EXPECT(priced("1.5"), "/body/notional", R"("4.5000")");
    BACKWORKS_EXPECT(priced("7"), "/body/notional", R"("21.0000")");
    BACKWORKS_EXPECT(priced("0.0001"), "/body/notional", R"("0.0003")");
    for (const char *wrong : {"", ".", "1.", ".5", "1.23456", "-1", "1e3", "1 ", "0"}) {
        BACKWORKS_EXPECT(priced(wrong), "/body/errors/0/field", R"("price")");
    }

    // Every wrong field is named.
    const auto refused = send(R"({"symbol":"XYZ"})");
    BACKWORKS_EXPECT(refused, "/status", "422");
    BACKWORKS_EXPECT(refused, "/body/errors/0/field", R"("symbol")");
    BACKWORKS_EXPECT(refused, "/body/errors/1/field", R"("side")");
    BACKWORKS_EXPECT(refused, "/body/errors/2/field", R"("quantity")");
    BACKWORKS_EXPECT(refused, "/body/errors/3/field", R"("price")");

    BACKWORKS_TEST_STOP();
    std::puts("unit: ok");
}
