#include <backworks_test.h>

int main(void) {
    BACKWORKS_TEST_START(BACKWORKS_JSON({"remove" : [ "salary", "notes" ], "served_by" : "a"}));

    const char *employee =
        backworks_test_response(BACKWORKS_JSON({"body" : {"id" : 1.50, "salary" : 1}}));
    BackworksTestAnswer answer = BACKWORKS_TEST_AFTER_RESPONSE(employee);
    BACKWORKS_EXPECT(answer, "/response/headers/x-served-by", "\"a\"");
    BACKWORKS_EXPECT(answer, "/response/body", BACKWORKS_JSON({"salary" : null}));

    /* Nothing to remove: the body is not named. */
    const char *other = backworks_test_response(BACKWORKS_JSON({"body" : {"id" : 1}}));
    BACKWORKS_EXPECT_ABSENT(BACKWORKS_TEST_AFTER_RESPONSE(other), "/response/body");
    const char *list = backworks_test_response(BACKWORKS_JSON({"body" : ["salary"]}));
    BACKWORKS_EXPECT_ABSENT(BACKWORKS_TEST_AFTER_RESPONSE(list), "/response/body");

    BACKWORKS_TEST_STOP();
    puts("unit: ok");
    return 0;
}
