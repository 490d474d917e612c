#include <backworks_test.h>

static BackworksTestAnswer send(const char *document) {
    return BACKWORKS_TEST_PROCESS_ENDPOINT(document);
}

int main(void) {
    BACKWORKS_TEST_START(BACKWORKS_JSON({"factor" : 0.5, "low" : 1, "high" : 9}));

    BackworksTestAnswer answer = send(
        backworks_test_request(BACKWORKS_JSON({"body" : {"sensor" : "a", "raw" : [ 10, 1, 20 ]}})));
    BACKWORKS_EXPECT(answer, "/body/values", "[5, 0.5, 10]");
    BACKWORKS_EXPECT(answer, "/body/alarms/0",
                     BACKWORKS_JSON({"index" : 1, "value" : 0.5, "limit" : "low"}));
    BACKWORKS_EXPECT(answer, "/body/alarms/1",
                     BACKWORKS_JSON({"index" : 2, "value" : 10, "limit" : "high"}));

    answer = send(backworks_test_request(BACKWORKS_JSON({"body" : {"raw" : [1]}})));
    BACKWORKS_EXPECT(answer, "/status", "422");
    answer = send(backworks_test_request(BACKWORKS_JSON({"body" : "raw"})));
    BACKWORKS_EXPECT(answer, "/status", "422");

    BACKWORKS_TEST_STOP();
    puts("unit: ok");
    return 0;
}
