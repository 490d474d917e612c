/*
 * Unit tests of a plugin in C or C++ without a server and without Node.js: a mock of the server, in this
 * process. Works for plugins of the SDKs and for those with backworks_plugin.h alone. C11 or C++17; include it
 * in one file of the test, and link that file with the sources of the plugin.
 *
 * SPDX-License-Identifier: MIT
 *
 *     #include <backworks_test.h>
 *
 *     int main(void) {
 *         BACKWORKS_TEST_START(BACKWORKS_JSON({"greeting" : "good day"}));
 *         const char *ada = backworks_test_request(
 *             BACKWORKS_JSON({"path" : "/hello/Ada", "params" : {"name" : "Ada"}}));
 *         BackworksTestAnswer answer = BACKWORKS_TEST_PROCESS_ENDPOINT(ada);
 *         BACKWORKS_EXPECT(answer, "/body/greeting", "\"good day Ada\"");
 *         BACKWORKS_TEST_STOP();
 *         return 0;
 *     }
 *
 *     cc -std=c11 -g -I native-sdk/include -o unit test/unit.c src/greeter.c && ./unit
 *
 * What does not hold ends the test: one line on stderr with file, line and both values, and exit code 1.
 *
 * backworks/test/check.h has the checks, documents.h makes documents, host.h has what the mock server records
 * and answers, run.h starts the plugin and calls its functions.
 */
#ifndef BACKWORKS_TEST_H
#define BACKWORKS_TEST_H

#include "backworks/test/run.h"

#endif /* BACKWORKS_TEST_H */
