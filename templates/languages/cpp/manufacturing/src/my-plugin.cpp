#include <backworks_plugin.hpp>

#include <cmath>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    double factor = 1;
    double offset = 0;
    double low = 0;
    double high = 100;

    void fields(Fields &field) {
        field("factor", factor, "A value is raw * factor + offset.");
        field("offset", offset, "Added to each value.");
        field("low", low, "A value below it is an alarm.");
        field("high", high, "A value above it is an alarm.");
    }
};

// Values are rounded to a thousandth; whole numbers are written without a fraction.
Json rounded(double value) {
    const double thousandths = std::round(value * 1000);
    if (std::abs(thousandths) < 1e15 && std::fmod(thousandths, 1000) == 0) {
        return static_cast<std::int64_t>(thousandths) / 1000;
    }
    return thousandths / 1000;
}

class Readings : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Checks sensor readings.").config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        const bool is_json = request.body().encoding() == BodyEncoding::json;
        const Json body = is_json ? request.body().json() : Json();
        const Json *sensor = body.find("sensor");
        const Json *raw = body.find("raw");
        if (sensor == nullptr || !sensor->is_string() || raw == nullptr || raw->items().empty()) {
            return refusal("The body needs a text \"sensor\" and a list \"raw\".");
        }
        Json alarms = Json::array();
        Json values = Json::array();
        for (const Json &reading : raw->items()) {
            if (!reading.is_number()) {
                return refusal("A reading is not a number.");
            }
            const double value = reading.as<double>() * config_.factor + config_.offset;
            if (value < config_.low || value > config_.high) {
                alarms.push_back(Json::object({{"index", values.items().size()},
                                               {"limit", value < config_.low ? "low" : "high"},
                                               {"value", rounded(value)}}));
            }
            values.push_back(rounded(value));
        }
        return Reply::json(
            Json::object({{"alarms", alarms}, {"sensor", *sensor}, {"values", values}}));
    }

  private:
    static Reply refusal(const char *detail) {
        return Reply::problem(422, "Unprocessable Content", detail);
    }

    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(Readings)
