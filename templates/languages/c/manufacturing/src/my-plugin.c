#include <backworks_sdk.h>

/* The plugin's `config:` block in backworks.yaml. The SDK makes its schema from config_fields. */
typedef struct Config {
    double factor;
    double offset;
    double low;
    double high;
} Config;

static Config config;

static const BackworksField config_fields[] = {
    BACKWORKS_FIELD(Config, factor, .description = "A value is raw * factor + offset.",
                    .default_number = 1),
    BACKWORKS_FIELD(Config, offset, .description = "Added to each value."),
    BACKWORKS_FIELD(Config, low, .description = "A value below it is an alarm."),
    BACKWORKS_FIELD(Config, high, .description = "A value above it is an alarm.",
                    .default_number = 100),
    BACKWORKS_FIELDS_END,
};

/* Values are rounded to a thousandth; whole numbers are written without a fraction. */
static yyjson_mut_val *number(BackworksCall *call, double value) {
    const char *text = backworks_format(call, "%.3f", value);
    size_t length = strlen(text);

    while (text[length - 1] == '0') {
        length--;
    }
    length -= text[length - 1] == '.';
    return yyjson_mut_rawn(backworks_json(call), text, length);
}

static void add_alarm(BackworksCall *call, yyjson_mut_val *alarms, size_t index, double value) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *alarm = yyjson_mut_arr_add_obj(json, alarms);

    yyjson_mut_obj_add_uint(json, alarm, "index", index);
    yyjson_mut_obj_add_str(json, alarm, "limit", value < config.low ? "low" : "high");
    yyjson_mut_obj_add_val(json, alarm, "value", number(call, value));
}

static void process_endpoint(BackworksCall *call) {
    yyjson_val *body = backworks_body_json(call);
    yyjson_val *sensor = yyjson_is_obj(body) ? backworks_get(body, "sensor") : NULL;
    yyjson_val *raw = yyjson_is_obj(body) ? backworks_get(body, "raw") : NULL;

    if (!yyjson_is_str(sensor) || yyjson_arr_size(raw) == 0) {
        backworks_respond_problem(call, 422, "Unprocessable Content",
                                  "The body needs a text \"sensor\" and a list \"raw\".");
        return;
    }
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *answer = yyjson_mut_obj(json);
    yyjson_mut_val *alarms = yyjson_mut_obj_add_arr(json, answer, "alarms");
    yyjson_mut_obj_add_str(json, answer, "sensor", yyjson_get_str(sensor));
    yyjson_mut_val *values = yyjson_mut_obj_add_arr(json, answer, "values");
    size_t index, count;
    yyjson_val *reading;
    yyjson_arr_foreach(raw, index, count, reading) {
        if (!yyjson_is_num(reading)) {
            backworks_respond_problem(call, 422, "Unprocessable Content",
                                      "A reading is not a number.");
            return;
        }
        double value = yyjson_get_num(reading) * config.factor + config.offset;
        yyjson_mut_arr_add_val(values, number(call, value));
        if (value < config.low || value > config.high) {
            add_alarm(call, alarms, index, value);
        }
    }
    backworks_respond_json(call, 200, answer);
}

BACKWORKS_PLUGIN(.name = "my-plugin", .version = "0.1.0", .description = "Checks sensor readings.",
                 .process_endpoint = process_endpoint, .config_fields = config_fields,
                 .config = &config, .config_size = sizeof config)
