// Runs hooks of the plugin as the server does: JSON documents in, JSON documents out.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "backworks_plugin.h"

// Ends the test with the line of the check that failed.
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

inline void check(bool holds, const char *condition, const char *file, int line) {
    if (holds) {
        return;
    }
    std::fprintf(stderr, "%s:%d: this should hold: %s\n", file, line, condition);
    std::exit(1);
}

inline bool contains(const char *text, const std::string &part) {
    return text != nullptr && std::string(text).find(part) != std::string::npos;
}

// A request document with the members that the tests need.
inline std::string request(const std::string &params, const std::string &headers,
                           const std::string &encoding = "text", const std::string &body = "null") {
    return R"({"id":"test","method":"POST","path":"/test","route":null,"params":)" + params +
           R"(,"query":{},"headers":)" + headers +
           R"(,"remote":null,"context":{},"body_encoding":")" + encoding + R"(","body":)" + body +
           "}";
}

// A response document with a JSON body.
inline std::string response(const std::string &body) {
    return R"({"status":200,"headers":{"content-type":"application/json"},"context":{},)"
           R"("request":{"id":"test","method":"GET","path":"/test","route":null},)"
           R"("body_encoding":"json","body":)" +
           body + "}";
}
