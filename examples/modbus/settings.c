#include "settings.h"

#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 512, NAME_MAX_BYTES = 64 };

static const char *const tables[] = {"coils", "discrete_inputs", "holding_registers",
                                     "input_registers", NULL};
static const char *const types[] = {"bool", "uint16", "int16", "uint32", "int32", "float32", NULL};
static const char *const writes[] = {"none", "single", "multiple", NULL};
static const char *const word_orders[] = {"high_first", "low_first", NULL};

/* The server has checked the schema. The readers below check again what memory depends on. */
static int64_t whole(yyjson_val *object, const char *name, int64_t otherwise, int64_t least,
                     int64_t most) {
    yyjson_val *value = backworks_get(object, name);
    int64_t number = yyjson_is_int(value) ? yyjson_get_sint(value) : otherwise;
    return number < least ? least : number > most ? most : number;
}

static double real(yyjson_val *object, const char *name, double otherwise) {
    yyjson_val *value = backworks_get(object, name);
    return yyjson_is_num(value) ? yyjson_get_num(value) : otherwise;
}

/* The index of a member's text among the choices. */
static int choice(yyjson_val *object, const char *name, const char *const *choices, int otherwise) {
    const char *text = yyjson_get_str(backworks_get(object, name));
    for (int index = 0; text != NULL && choices[index] != NULL; index++) {
        if (strcmp(choices[index], text) == 0) {
            return index;
        }
    }
    return otherwise;
}

/* A text of malloc(); NULL without the member. */
static char *kept_text(yyjson_val *object, const char *name) {
    const char *text = yyjson_get_str(backworks_get(object, name));
    return text == NULL ? NULL : strdup(text);
}

static bool is_taken(const Settings *settings, const char *name) {
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->points[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds a point. Returns what is wrong, or NULL. */
static const char *add_point(Settings *settings, yyjson_val *config) {
    const char *name = yyjson_get_str(backworks_get(config, "name"));
    if (name == NULL || name[0] == '\0' || strlen(name) > NAME_MAX_BYTES) {
        return "the name must have 1 to 64 characters";
    }
    if (is_taken(settings, name)) {
        return "another point has the same name";
    }
    ModbusTable table = (ModbusTable)choice(config, "table", tables, MODBUS_COILS);
    bool bits = table == MODBUS_COILS || table == MODBUS_DISCRETE_INPUTS;
    Point point = {
        .table = table,
        .type = (PointType)choice(config, "type", types, bits ? POINT_BOOL : POINT_UINT16),
        .write = (PointWrite)choice(config, "write", writes, POINT_READ_ONLY),
        .address = (uint16_t)whole(config, "address", 0, 0, 65535),
        .count = (uint16_t)whole(config, "count", 1, 1, MODBUS_READ_BITS_MAX),
        .low_word_first = choice(config, "word_order", word_orders, 0) == 1,
        .scale = real(config, "scale", 1),
        .offset = real(config, "offset", 0),
    };
    const char *mistake = point_mistake(&point);
    if (mistake == NULL) {
        point.name = strdup(name);
        point.unit = kept_text(config, "unit");
        settings->points[settings->count++] = point;
        mistake = point.name == NULL ? "out of memory" : NULL;
    }
    return mistake;
}

bool settings_read(BackworksCall *call, Settings *settings) {
    yyjson_val *config = backworks_payload(call);
    yyjson_val *points = backworks_get(config, "points");
    size_t total = yyjson_arr_size(points);
    *settings = (Settings){
        .master = {.host = kept_text(config, "host"),
                   .port = (uint16_t)whole(config, "port", 502, 1, 65535),
                   .unit_id = (uint8_t)whole(config, "unit_id", 1, 0, 255),
                   .timeout_ms = (uint32_t)whole(config, "timeout_ms", 500, 10, 60000),
                   .reconnect_max_ms =
                       (uint32_t)whole(config, "reconnect_max_ms", 5000, 100, 600000)},
        .poll_interval_ms = (uint32_t)whole(config, "poll_interval_ms", 1000, 0, 3600000),
    };
    if (settings->master.host == NULL) {
        backworks_fail(call, "config: host is required");
        return false;
    }
    if (total < 1 || total > POINTS_MAX) {
        backworks_fail(call, "config: points must list 1 to %d points", POINTS_MAX);
        return false;
    }
    settings->points = (Point *)calloc(total, sizeof(Point));
    size_t index, count;
    yyjson_val *point;
    yyjson_arr_foreach(points, index, count, point) {
        const char *mistake =
            settings->points == NULL ? "out of memory" : add_point(settings, point);
        if (mistake != NULL) {
            backworks_fail(call, "config: points[%zu]: %s", index, mistake);
            return false;
        }
    }
    return true;
}

void settings_free(Settings *settings) {
    for (size_t i = 0; i < settings->count; i++) {
        free((char *)(uintptr_t)settings->points[i].name);
        free((char *)(uintptr_t)settings->points[i].unit);
    }
    free(settings->points);
    free((char *)(uintptr_t)settings->master.host);
    *settings = (Settings){0};
}
