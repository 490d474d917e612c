#include <backworks_sdk.h>

/* The plugin's `config:` block in backworks.yaml. The SDK makes its schema from config_fields. */
typedef struct Config {
    BackworksTexts remove;
    const char *served_by;
} Config;

static Config config;

static const BackworksField config_fields[] = {
    BACKWORKS_FIELD(Config, remove, .description = "Members of JSON objects that are removed."),
    BACKWORKS_FIELD(Config, served_by, .description = "The value of the header x-served-by.",
                    .default_text = "backworks"),
    BACKWORKS_FIELDS_END,
};

/* A change is a merge patch: null removes a member, and what the patch does not name stays. */
static void after_response(BackworksCall *call) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *change = yyjson_mut_obj(json);
    yyjson_val *body = backworks_body_json(call);

    backworks_change_header(call, "x-served-by", config.served_by);
    for (size_t i = 0; i < config.remove.count; i++) {
        const char *name = config.remove.items[i];
        if (yyjson_is_obj(body) && backworks_get(body, name) != NULL) {
            yyjson_mut_obj_add_null(json, change, name);
        }
    }
    if (yyjson_mut_obj_size(change) > 0) {
        backworks_change_body_json(call, change);
    }
}

/* Critical: a response that the plugin cannot change is not sent. */
BACKWORKS_PLUGIN(.name = "my-plugin", .version = "0.1.0", .description = "Changes responses.",
                 .critical = true, .after_response = after_response, .config_fields = config_fields,
                 .config = &config, .config_size = sizeof config)
