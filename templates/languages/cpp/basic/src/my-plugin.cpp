#include <backworks_plugin.hpp>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    std::string greeting = "hello";
    int repeat = 1;

    void fields(Fields &field) {
        field("greeting", greeting, "The word before the name.");
        field("repeat", repeat, "How many greetings.").range(1, 5);
    }
};

class Greeter : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Greets people.").config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        const auto name = request.param("name");
        if (!name) {
            return {}; // the request is not for this plugin
        }
        if (name->size() > 64) {
            return Reply::problem(400, "Bad Request", "The name has more than 64 bytes.");
        }
        Json greetings = Json::array();
        for (int i = 0; i < config_.repeat; i++) {
            greetings.push_back(config_.greeting + " " + *name);
        }
        return Reply::json(Json::object({{"greetings", greetings}}));
    }

  private:
    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(Greeter)
