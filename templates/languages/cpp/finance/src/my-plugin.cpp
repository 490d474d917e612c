#include <backworks_plugin.hpp>

#include <algorithm>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    std::vector<std::string> symbols;
    std::uint32_t max_notional = 1'000'000;

    void fields(Fields &field) {
        field("symbols", symbols, "The symbols that may be traded.").required();
        field("max_notional", max_notional, "The largest quantity times price of an order.");
    }
};

// Prices are whole numbers of this part of the currency.
constexpr std::size_t DECIMALS = 4;
constexpr std::uint64_t UNIT = 10'000;
constexpr std::uint64_t QUANTITY_MAX = 100'000;
// With it, quantity times price fits into 64 bits.
constexpr std::size_t WHOLE_DIGITS_MAX = 9;

bool is_number(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Reads a price such as "12.50" without rounding: 125000 units.
std::optional<std::uint64_t> units(std::string_view price) {
    const std::size_t point = price.find('.');
    const bool has_point = point != std::string_view::npos;
    const std::string_view whole = price.substr(0, point);
    std::string fraction(has_point ? price.substr(point + 1) : "0");
    if (!is_number(whole) || !is_number(fraction) || whole.size() > WHOLE_DIGITS_MAX ||
        fraction.size() > DECIMALS) {
        return std::nullopt;
    }
    fraction.resize(DECIMALS, '0');
    return std::stoull(std::string(whole) + fraction);
}

class OrderCheck : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Checks orders.").config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        const bool is_json = request.body().encoding() == BodyEncoding::json;
        const Json order = is_json ? request.body().json() : Json();
        Json errors = Json::array();
        const std::uint64_t notional = check(order, errors);
        if (!errors.items().empty()) {
            return Reply::json(Json::object({{"accepted", false}, {"errors", errors}})).status(422);
        }
        std::string fraction = std::to_string(notional % UNIT);
        fraction.insert(0, DECIMALS - fraction.size(), '0');
        const std::string text = std::to_string(notional / UNIT) + "." + fraction;
        return Reply::json(Json::object({{"accepted", true}, {"notional", text}}));
    }

  private:
    // The notional of an order in units. Adds what is wrong with the order to `errors`.
    std::uint64_t check(const Json &order, Json &errors) const {
        const auto wrong = [&errors](const char *field, const std::string &reason) {
            errors.push_back(Json::object({{"field", field}, {"reason", reason}}));
        };
        const auto &symbols = config_.symbols;
        if (std::find(symbols.begin(), symbols.end(), order["symbol"].text()) == symbols.end()) {
            wrong("symbol", "is not traded here");
        }
        if (order["side"].text() != "buy" && order["side"].text() != "sell") {
            wrong("side", "is neither buy nor sell");
        }
        const std::string quantity_digits(order["quantity"].digits());
        const bool is_short = is_number(quantity_digits) && quantity_digits.size() <= 6;
        const std::uint64_t quantity = is_short ? std::stoull(quantity_digits) : 0;
        if (quantity < 1 || quantity > QUANTITY_MAX) {
            wrong("quantity", "is not a whole number from 1 to " + std::to_string(QUANTITY_MAX));
        }
        const std::uint64_t price = units(order["price"].text()).value_or(0);
        if (price == 0) {
            wrong("price", "is not a text with a positive number of at most 4 decimals");
        }
        if (quantity <= QUANTITY_MAX && quantity * price > config_.max_notional * UNIT) {
            wrong("notional", "is more than " + std::to_string(config_.max_notional));
        }
        return quantity * price;
    }

    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(OrderCheck)
