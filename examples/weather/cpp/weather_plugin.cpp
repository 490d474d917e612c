// The weather plugin in C++: answers GET /cpp/weather and GET /cpp/weather/{city}.
//
//   before_request    checks ?units=; answers 400 itself, or stores the units in the context
//   process_endpoint  answers in the units that the context names
//   after_response    names the source of the answer in a header
//
// SPDX-License-Identifier: MIT
#include <backworks_plugin.hpp>

#include "climate.hpp"

using namespace backworks;

namespace {

constexpr const char *NAME = "weather-cpp";
constexpr const char *VERSION = "1.0.0";
constexpr std::size_t CITY_BYTES_MAX = 127;

struct Config {
    std::optional<std::string> api_key;
    std::string default_city = "Lisbon";

    void fields(Fields &field) {
        field("api_key", api_key, "Not used: the example has no network.");
        field("default_city", default_city, "The city of a request that names none.");
    }
};

bool is_name(const std::string &text) {
    return !text.empty() && text.size() <= CITY_BYTES_MAX && text.find('\0') == std::string::npos;
}

bool is_ours(const std::optional<std::string> &route) {
    return route == "/cpp/weather" || route == "/cpp/weather/{city}";
}

} // namespace

class Weather : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest(NAME, VERSION, "Yearly mean weather of cities, in C++.")
            .config<Config>()
            .author("The Backworks maintainers")
            .license("MIT");
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
        if (!is_name(config_.api_key.value_or("none"))) {
            throw PluginError("api_key is not a text of 1 to 127 bytes");
        }
        if (!is_name(config_.default_city)) {
            throw PluginError("default_city is not a text of 1 to 127 bytes");
        }
        host::info("ready, default city " + config_.default_city);
    }

    Health health_check() override {
        return climate_of(config_.default_city).city.empty()
                   ? Health::degraded(
                         "default_city is not in the table; its weather is derived from its name")
                   : Health::healthy();
    }

    RequestAction before_request(const Request &request) override {
        if (!is_ours(request.route())) {
            return {};
        }
        const std::vector<std::string> wanted = request.queries("units");
        const std::string units = wanted.empty() ? "metric" : wanted.front();
        if (wanted.size() > 1 || (units != "metric" && units != "imperial")) {
            return Reply::problem(400, "Bad Request", "units is metric or imperial");
        }
        return RequestPatch().context(NAME, Json::object({{"units", units}}));
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        if (!is_ours(request.route()) ||
            (request.method() != "GET" && request.method() != "HEAD")) {
            return {};
        }
        const std::string city = request.param("city").value_or(config_.default_city);
        if (!is_name(city)) {
            return Reply::problem(400, "Bad Request", "a city's name has 1 to 127 bytes");
        }
        const Json *units = request.context(NAME).find("units");
        return report(city, units != nullptr && units->text() == "imperial");
    }

    std::optional<ResponsePatch> after_response(const Response &response) override {
        if (response.context(NAME).is_null()) {
            return {};
        }
        return ResponsePatch().header("x-weather-source", std::string(NAME) + "/" + VERSION);
    }

  private:
    static Reply report(const std::string &city, bool imperial) {
        const Climate climate = climate_of(city);
        const int tenths =
            imperial ? tenths_fahrenheit(climate.temperature_tenths) : climate.temperature_tenths;
        const bool known = !climate.city.empty();
        return Reply::json(Json::object({
            {"basis", known ? "yearly mean" : "derived from the name"},
            {"city", known ? Json(climate.city) : Json(city)},
            {"conditions", climate.conditions},
            {"humidity", climate.humidity_percent},
            {"temperature", tenths / 10.0},
            {"units", imperial ? "imperial" : "metric"},
        }));
    }

    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(Weather)
