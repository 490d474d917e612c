#include <backworks_test.h>

#include <cstdio>
#include <string>

#define HEADER R"(MSH|^~\\&|LAB|CITY|HIS|WARD|20260102||ADT^A01|42|P|2.5)"

// `message` is written as in JSON: \r ends a segment.
static BackworksTestAnswer send(const std::string &message) {
    const std::string request = R"({"body_encoding":"text","body":")" + message + R"("})";
    return BACKWORKS_TEST_PROCESS_ENDPOINT(backworks_test_request(request.c_str()));
}

int main() {
    BACKWORKS_TEST_START(R"({"required":["PID"],"max_segments":2})");

    const auto accepted = send(HEADER R"(\r\nPID|1||77\r\n)");
    BACKWORKS_EXPECT(accepted, "/body/type", R"("ADT^A01")");
    BACKWORKS_EXPECT(accepted, "/body/segments/1/name", R"("PID")");
    BACKWORKS_EXPECT(accepted, "/body/segments/1/fields", R"(["1","","77"])");
    BACKWORKS_EXPECT(accepted, "/body/ack",
                     R"("MSH|^~\\&|HIS|WARD|LAB|CITY|20260102||ACK|42|P|2.5\rMSA|AA|42")");

    BACKWORKS_EXPECT(
        send(HEADER), "/body/ack",
        R"("MSH|^~\\&|HIS|WARD|LAB|CITY|20260102||ACK|42|P|2.5\rMSA|AE|42|a segment PID is missing")");

    for (const char *wrong : {"", "hello", "MSH", R"(MSH|^~\\&|LAB)", HEADER R"(\rpid|1)",
                              HEADER R"(\rPID|1\rPID|2)"}) {
        BACKWORKS_EXPECT(send(wrong), "/status", "422");
    }

    BACKWORKS_TEST_STOP();
    std::puts("unit: ok");
}
