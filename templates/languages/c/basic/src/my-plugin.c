#include <backworks_sdk.h>

/* The plugin's `config:` block in backworks.yaml. The SDK makes its schema from config_fields. */
typedef struct Config {
    const char *greeting;
    int64_t repeat;
} Config;

static Config config;

static const BackworksField config_fields[] = {
    BACKWORKS_FIELD(Config, greeting, .description = "The word before the name.",
                    .default_text = "hello"),
    BACKWORKS_FIELD(Config, repeat, .description = "How many greetings.", .default_integer = 1,
                    .minimum = 1, .maximum = 5),
    BACKWORKS_FIELDS_END,
};

static void process_endpoint(BackworksCall *call) {
    const char *name = backworks_param(call, "name");
    if (name == NULL) {
        return; /* the request is not for this plugin */
    }
    if (strlen(name) > 64) {
        backworks_respond_problem(call, 400, "Bad Request", "The name has more than 64 bytes.");
        return;
    }

    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_val *greetings = yyjson_mut_obj_add_arr(json, body, "greetings");
    for (int64_t i = 0; i < config.repeat; i++) {
        const char *greeting = backworks_format(call, "%s %s", config.greeting, name);
        yyjson_mut_arr_add_str(json, greetings, greeting);
    }
    backworks_respond_json(call, 200, body);
}

BACKWORKS_PLUGIN(.name = "my-plugin", .version = "0.1.0", .description = "Greets people.",
                 .process_endpoint = process_endpoint, .config_fields = config_fields,
                 .config = &config, .config_size = sizeof config)
