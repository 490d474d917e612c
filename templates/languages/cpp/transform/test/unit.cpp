#include <backworks_test.h>

#include <cstdio>

int main() {
    BACKWORKS_TEST_START(R"({"remove":["salary","notes"],"served_by":"a"})");

    const char *employee = backworks_test_response(R"({"body":{"id":1.50,"salary":1}})");
    const auto answer = BACKWORKS_TEST_AFTER_RESPONSE(employee);
    BACKWORKS_EXPECT(answer, "/response/headers/x-served-by", R"("a")");
    BACKWORKS_EXPECT(answer, "/response/body", R"({"salary":null})");

    // Nothing to remove: the body is not named.
    const char *other = backworks_test_response(R"({"body":{"id":1}})");
    BACKWORKS_EXPECT_ABSENT(BACKWORKS_TEST_AFTER_RESPONSE(other), "/response/body");
    const char *list = backworks_test_response(R"({"body":["salary"]})");
    BACKWORKS_EXPECT_ABSENT(BACKWORKS_TEST_AFTER_RESPONSE(list), "/response/body");

    BACKWORKS_TEST_STOP();
    std::puts("unit: ok");
}
