#include <backworks_test.h>

#include <cstdio>

static BackworksTestAnswer send(const char *request) {
    return BACKWORKS_TEST_PROCESS_ENDPOINT(backworks_test_request(request));
}

int main() {
    BACKWORKS_TEST_START(R"({"factor":0.5,"low":1,"high":9})");

    auto answer = send(R"({"body":{"sensor":"a","raw":[10,1,20]}})");
    BACKWORKS_EXPECT(answer, "/body/values", "[5,0.5,10]");
    BACKWORKS_EXPECT(answer, "/body/alarms/0", R"({"index":1,"limit":"low","value":0.5})");
    BACKWORKS_EXPECT(answer, "/body/alarms/1", R"({"index":2,"limit":"high","value":10})");

    answer = send(R"({"body":{"raw":[1]}})");
    BACKWORKS_EXPECT(answer, "/status", "422");
    answer = send(R"({"body":"raw"})");
    BACKWORKS_EXPECT(answer, "/status", "422");

    BACKWORKS_TEST_STOP();
    std::puts("unit: ok");
}
