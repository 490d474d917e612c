#include <backworks_sdk.h>

/* The plugin's `config:` block in backworks.yaml. The SDK makes its schema from config_fields. */
typedef struct Config {
    BackworksTexts keys;
    const char *header;
} Config;

static Config config;

static const BackworksField config_fields[] = {
    BACKWORKS_FIELD(Config, keys, .description = "The keys that are accepted.", .required = true),
    BACKWORKS_FIELD(Config, header, .description = "The header that has the key, in lower case.",
                    .default_text = "x-api-key"),
    BACKWORKS_FIELDS_END,
};

/* Takes the same time wherever the texts differ, so that the time does not give the key away. */
static bool is_same(const char *given, const char *key) {
    size_t length = strlen(key);
    size_t given_length = strlen(given);
    unsigned char difference = length != given_length || length == 0;

    for (size_t i = 0; i < given_length && length > 0; i++) {
        difference |= (unsigned char)(given[i] ^ key[i % length]);
    }
    return difference == 0;
}

static void before_request(BackworksCall *call) {
    const char *given = backworks_header(call, config.header);
    bool is_known = false;

    for (size_t i = 0; given != NULL && i < config.keys.count; i++) {
        is_known |= is_same(given, config.keys.items[i]);
    }
    if (!is_known) {
        backworks_respond_problem(call, 401, "Unauthorized", "The request has no valid API key.");
        backworks_response_header(call, "www-authenticate", "ApiKey");
        return;
    }
    backworks_change_header(call, config.header, NULL);
    backworks_change_context(call, "authenticated", yyjson_mut_true(backworks_json(call)));
}

/* Critical: while the plugin does not work, requests are refused instead of passing unchecked. */
BACKWORKS_PLUGIN(.name = "my-plugin", .version = "0.1.0", .description = "Checks API keys.",
                 .critical = true, .before_request = before_request, .config_fields = config_fields,
                 .config = &config, .config_size = sizeof config)
