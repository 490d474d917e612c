// SPDX-License-Identifier: MIT
// See raw.c.
#include <backworks_plugin.hpp>

using namespace backworks;

class Bench : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("bench", "1.0.0", "Answers at once.");
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        const auto city = request.param("city");
        if (!city) {
            return {};
        }
        return Reply::json(Json::object({{"city", *city}, {"celsius", 21.5}, {"sky", "fair"}}));
    }
};

BACKWORKS_EXPORT_PLUGIN(Bench)
