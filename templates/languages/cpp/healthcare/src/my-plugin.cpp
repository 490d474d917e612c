#include <backworks_plugin.hpp>

#include <algorithm>

using namespace backworks;

// The plugin's `config:` block in backworks.yaml. The SDK makes its schema from fields().
struct Config {
    std::vector<std::string> required;
    std::uint32_t max_segments = 100;

    void fields(Fields &field) {
        field("required", required, "Segments that a message must have.");
        field("max_segments", max_segments, "The longest message that is read.").range(1, 10'000);
    }
};

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::string joined(const std::vector<std::string> &parts, char separator) {
    std::string text = parts.front();
    for (std::size_t index = 1; index < parts.size(); index++) {
        text += separator + parts[index];
    }
    return text;
}

// A capital letter, and two capital letters or digits.
bool is_segment_name(std::string_view name) {
    const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_allowed = [&](char c) { return is_capital(c) || (c >= '0' && c <= '9'); };
    return name.size() == 3 && is_capital(name[0]) &&
           std::all_of(name.begin(), name.end(), is_allowed);
}

// An HL7 v2 message, whose first segment is MSH.
class Message {
  public:
    // Splits a message into segments and fields. Segments end with CR, LF or both. Throws PluginError.
    Message(std::string text, std::size_t max_segments) {
        std::replace(text.begin(), text.end(), '\n', '\r');
        for (const std::string &line : split(text, '\r')) {
            if (!line.empty()) {
                add(line, max_segments);
            }
        }
        if (segments_.empty()) {
            throw PluginError("the message does not begin with MSH and a field separator");
        }
        if (header(9).empty()) {
            throw PluginError("MSH has no control id (field 10)");
        }
    }

    // A field of MSH by its position, the first being 1: in MSH the separator itself counts as field 1.
    std::string header(std::size_t position) const {
        const auto &fields = segments_.front();
        return position < fields.size() ? fields[position] : "";
    }

    // Fields begin with the first one behind the name.
    Json segments() const {
        Json all = Json::array();
        for (const auto &segment : segments_) {
            Json fields = Json::array();
            std::for_each(segment.begin() + 1, segment.end(),
                          [&](const std::string &field) { fields.push_back(field); });
            all.push_back(Json::object({{"fields", fields}, {"name", segment.front()}}));
        }
        return all;
    }

    // The answer for the sender: AA, or AE when a required segment is missing. It repeats the time of the message; put
    // the current time there when its sender needs it.
    std::string acknowledge(const std::vector<std::string> &required) const {
        std::vector<std::string> status = {"MSA", "AA", header(9)};
        for (const std::string &name : required) {
            if (!has(name)) {
                status = {"MSA", "AE", header(9), "a segment " + name + " is missing"};
                break;
            }
        }
        const std::vector<std::string> back = {"MSH",     header(1), header(4),  header(5),
                                               header(2), header(3), header(6),  "",
                                               "ACK",     header(9), header(10), header(11)};
        return joined(back, separator_) + "\r" + joined(status, separator_);
    }

  private:
    void add(const std::string &line, std::size_t max_segments) {
        if (segments_.empty()) {
            if (line.size() < 4 || line.compare(0, 3, "MSH") != 0) {
                throw PluginError("the message does not begin with MSH and a field separator");
            }
            separator_ = line[3];
        }
        if (segments_.size() == max_segments) {
            throw PluginError("the message has more than " + std::to_string(max_segments) +
                              " segments");
        }
        segments_.push_back(split(line, separator_));
        const std::string &name = segments_.back().front();
        if (!is_segment_name(name)) {
            throw PluginError("segment " + std::to_string(segments_.size()) + " has the name " +
                              name);
        }
    }

    bool has(const std::string &name) const {
        return std::any_of(segments_.begin(), segments_.end(),
                           [&](const auto &segment) { return segment.front() == name; });
    }

    char separator_ = '|';
    // The parts of each segment: its name, then its fields.
    std::vector<std::vector<std::string>> segments_;
};

class Reader : public Plugin {
  public:
    static Manifest manifest() {
        return Manifest("my-plugin", "0.1.0", "Reads HL7 v2 messages.").config<Config>();
    }

    void initialize(const Json &config) override {
        config_ = read_config<Config>(config);
    }

    std::optional<Reply> process_endpoint(const Request &request) override {
        try {
            const Message message(request.body().text(), config_.max_segments);
            return Reply::json(Json::object({{"ack", message.acknowledge(config_.required)},
                                             {"control_id", message.header(9)},
                                             {"segments", message.segments()},
                                             {"type", message.header(8)}}));
        } catch (const PluginError &error) {
            return Reply::problem(422, "Unprocessable Content", error.what());
        }
    }

  private:
    Config config_;
};

BACKWORKS_EXPORT_PLUGIN(Reader)
