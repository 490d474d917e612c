#include <backworks_test.h>

int main(void) {
    BACKWORKS_TEST_START(BACKWORKS_JSON({"greeting" : "good day", "repeat" : 2}));

    const char *ada = backworks_test_request(
        BACKWORKS_JSON({"route" : "/hello/{name}", "params" : {"name" : "Ada"}}));
    BackworksTestAnswer answer = BACKWORKS_TEST_PROCESS_ENDPOINT(ada);
    BACKWORKS_EXPECT(answer, "/body/greetings", BACKWORKS_JSON([ "good day Ada", "good day Ada" ]));

    const char *nobody = backworks_test_request("{}");
    BACKWORKS_EXPECT_NULL(BACKWORKS_TEST_PROCESS_ENDPOINT(nobody));

    BACKWORKS_TEST_STOP();
    puts("unit: ok");
    return 0;
}
