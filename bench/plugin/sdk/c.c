/* SPDX-License-Identifier: MIT */
/* See raw.c. */
#include <backworks_sdk.h>

static void process_endpoint(BackworksCall *call) {
    const char *city = backworks_param(call, "city");
    if (city == NULL) {
        return;
    }
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, body, "city", city);
    yyjson_mut_obj_add_real(json, body, "celsius", 21.5);
    yyjson_mut_obj_add_str(json, body, "sky", "fair");
    backworks_respond_json(call, 200, body);
}

BACKWORKS_PLUGIN(.name = "bench", .version = "1.0.0", .description = "Answers at once.",
                 .process_endpoint = process_endpoint)
