#include <backworks_plugin.hpp>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    std::vector<std::string> remove;
    std::string served_by = "backworks";

    void fields(Fields &field) {
        field("remove", remove, "Members of JSON objects that are removed.");
        field("served_by", served_by, "The value of the header x-served-by.");
    }
};

class Transformer : public Plugin {
  public:
    // Critical: a response that the plugin cannot change is not sent.
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Changes responses.").critical().config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    // A change is a merge patch: null removes a member, and what the patch does not name stays.
    std::optional<ResponsePatch> after_response(const Response &response) override {
        ResponsePatch patch;
        patch.header("x-served-by", config_.served_by);
        if (response.body().encoding() != BodyEncoding::json) {
            return patch;
        }
        const Json body = response.body().json();
        Json change = Json::object();
        for (const auto &name : config_.remove) {
            if (body.is_object() && body.find(name) != nullptr) {
                change[name] = nullptr;
            }
        }
        if (!change.members().empty()) {
            patch.json(change);
        }
        return patch;
    }

  private:
    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(Transformer)
