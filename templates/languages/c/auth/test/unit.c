#include <backworks_test.h>

int main(void) {
    BACKWORKS_TEST_START(BACKWORKS_JSON({"keys" : [ "first", "second" ]}));

    const char *known =
        backworks_test_request(BACKWORKS_JSON({"headers" : {"x-api-key" : "second"}}));
    BackworksTestAnswer answer = BACKWORKS_TEST_BEFORE_REQUEST(known);
    BACKWORKS_EXPECT(answer, "/request/headers/x-api-key", "null");
    BACKWORKS_EXPECT(answer, "/request/context/authenticated", "true");

    const char *unknown =
        backworks_test_request(BACKWORKS_JSON({"headers" : {"x-api-key" : "sec"}}));
    BACKWORKS_EXPECT(BACKWORKS_TEST_BEFORE_REQUEST(unknown), "/response/status", "401");

    const char *without = backworks_test_request("{}");
    BACKWORKS_EXPECT(BACKWORKS_TEST_BEFORE_REQUEST(without), "/response/status", "401");

    BACKWORKS_TEST_STOP();
    puts("unit: ok");
    return 0;
}
