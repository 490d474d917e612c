#include <backworks_plugin.hpp>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    std::vector<std::string> keys;
    std::string header = "x-api-key";

    void fields(Fields &field) {
        field("keys", keys, "The keys that are accepted.").required();
        field("header", header, "The header that has the key, in lower case.");
    }
};

// Takes the same time wherever the texts differ, so that the time does not give the key away.
static bool is_same(std::string_view given, std::string_view key) {
    unsigned difference = given.size() != key.size();
    for (std::size_t i = 0; i < given.size() && !key.empty(); i++) {
        difference |= static_cast<unsigned>(given[i] ^ key[i % key.size()]);
    }
    return difference == 0 && !key.empty();
}

class KeyCheck : public Plugin {
  public:
    // Critical: while the plugin does not work, requests are refused instead of passing unchecked.
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Checks API keys.").critical().config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    RequestAction before_request(const Request &request) override {
        const auto given = request.header(config_.header.c_str());
        bool is_known = false;
        for (const auto &key : config_.keys) {
            is_known |= given && is_same(*given, key);
        }
        if (!is_known) {
            return Reply::problem(401, "Unauthorized", "The request has no valid API key.")
                .header("www-authenticate", "ApiKey");
        }
        return RequestPatch().remove_header(config_.header).context("authenticated", true);
    }

  private:
    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(KeyCheck)
