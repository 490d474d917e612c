/*
 * The C SDK with any text in place of the server's document: a hook that reads and answers everything. When
 * the text is JSON, the members that the SDK finds without reading them must be those that yyjson reads.
 *
 * SPDX-License-Identifier: MIT
 */
#include <backworks_sdk.h>

static void *volatile sink;

static void read_everything(BackworksCall *call) {
    static const char *const members[] = {"id", "method", "path", "route", "headers", "context"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        sink = backworks_member(call, members[i]);
    }
    sink = (void *)(uintptr_t)backworks_header(call, "host");
    sink = (void *)(uintptr_t)backworks_query(call, "q");
    sink = backworks_context(call, "c");
    sink = backworks_body_json(call);
}

/* Base64 that was decoded and encoded again is what it was, but for bits behind the last byte. */
static void check_base64(BackworksCall *call, BackworksBytes bytes) {
    char *text = backworks_alloc(call, backworks_base64_size(bytes.size));
    uint8_t *again = backworks_alloc(call, bytes.size + 3);
    size_t size = 0;
    backworks_base64_encode(bytes.data, bytes.size, text);
    if (!backworks_base64_decode(text, backworks_base64_size(bytes.size), again, &size) ||
        size != bytes.size || memcmp(again, bytes.data, size) != 0) {
        abort();
    }
}

static void answer(BackworksCall *call) {
    read_everything(call);
    BackworksBytes bytes = backworks_body(call);
    check_base64(call, bytes);
    backworks_change_header(call, "X-Seen", backworks_method(call));
    backworks_change_body_bytes(call, bytes.data, bytes.size);
    yyjson_val *context = backworks_member(call, "context");
    backworks_change(call, "context", yyjson_val_mut_copy(backworks_json(call), context));
    if (bytes.size % 2 == 1) {
        BACKWORKS_PANIC(call, "%zu bytes", bytes.size);
    }
}

BACKWORKS_PLUGIN(.name = "fuzzed", .version = "1.0.0", .description = "Reads anything.",
                 .before_request = answer)

static void count_failure(const char *message) {
    sink = (void *)(uintptr_t)message;
}

/* In the order of the text; yyjson refuses what the server would refuse. */
static void compare(const char *text, size_t size) {
    yyjson_doc *document =
        yyjson_read_opts((char *)(uintptr_t)text, size, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(document);
    const char *at = text, *end = text + size;
    BackworksSlice name, value;
    yyjson_obj_iter members = yyjson_obj_iter_with(root);
    size_t count = 0;
    while (yyjson_is_obj(root) && backworks_next_member(&at, end, &name, &value)) {
        yyjson_val *wanted = yyjson_obj_iter_get_val(yyjson_obj_iter_next(&members));
        yyjson_doc *found = yyjson_read(value.at, value.size, YYJSON_READ_NUMBER_AS_RAW);
        if (wanted == NULL || !yyjson_equals(wanted, yyjson_doc_get_root(found))) {
            abort();
        }
        yyjson_doc_free(found);
        count++;
    }
    if (yyjson_is_obj(root) && count != yyjson_obj_size(root)) {
        abort();
    }
    yyjson_doc_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const BackworksHost host = {
        .size = sizeof host, .abi_version = BACKWORKS_ABI_VERSION, .fail = count_failure};
    /* Of exactly this size, so that the sanitizer sees a read of any other byte. */
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    backworks_extensions()->bind_host(&host);
    compare(text, strlen(text));
    const char *answered = plugin_vtable().before_request(text);
    if (answered != NULL) {
        backworks_extensions()->free_string(answered);
    }
    free(text);
    return 0;
}
