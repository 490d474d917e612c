#include <backworks_test.h>

#include <cstdio>

int main() {
    BACKWORKS_TEST_START(R"({"greeting":"good day","repeat":2})");

    const char *ada =
        backworks_test_request(R"({"route":"/hello/{name}","params":{"name":"Ada"}})");
    const auto answer = BACKWORKS_TEST_PROCESS_ENDPOINT(ada);
    BACKWORKS_EXPECT(answer, "/body/greetings", R"(["good day Ada","good day Ada"])");

    const char *nobody = backworks_test_request("{}");
    BACKWORKS_EXPECT_NULL(BACKWORKS_TEST_PROCESS_ENDPOINT(nobody));

    BACKWORKS_TEST_STOP();
    std::puts("unit: ok");
}
