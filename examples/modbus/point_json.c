#include "point_json.h"

#include <math.h>

static yyjson_mut_val *one_value(BackworksCall *call, const Point *point, const uint8_t *data,
                                 size_t index) {
    yyjson_mut_doc *json = backworks_json(call);
    if (point->type == POINT_BOOL) {
        return yyjson_mut_bool(json, point_bit(data, index));
    }
    double value = point_number(point, data, index);
    if (!isfinite(value)) {
        return yyjson_mut_null(json);
    }
    return point_is_whole(point) ? yyjson_mut_sint(json, (int64_t)value)
                                 : yyjson_mut_real(json, value);
}

yyjson_mut_val *point_value_json(BackworksCall *call, const Point *point, const uint8_t *data) {
    if (point->count == 1) {
        return one_value(call, point, data, 0);
    }
    yyjson_mut_val *list = yyjson_mut_arr(backworks_json(call));
    for (size_t index = 0; index < point->count; index++) {
        yyjson_mut_arr_append(list, one_value(call, point, data, index));
    }
    return list;
}

yyjson_mut_val *point_reading_json(BackworksCall *call, const Point *point, const Reading *reading,
                                   int64_t now_ms) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *object = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, object, "name", point->name);
    if (reading->known) {
        yyjson_mut_obj_add_val(json, object, "value", point_value_json(call, point, reading->data));
        yyjson_mut_obj_add_sint(json, object, "age_ms", now_ms - reading->read_at_ms);
    } else {
        yyjson_mut_obj_add_null(json, object, "value");
        yyjson_mut_obj_add_null(json, object, "age_ms");
    }
    if (point->unit != NULL) {
        yyjson_mut_obj_add_str(json, object, "unit", point->unit);
    }
    if (reading->outcome.kind != OUTCOME_ANSWERED) {
        yyjson_mut_obj_add_str(json, object, "error",
                               backworks_format(call, "%s", reading->outcome.reason));
    }
    return object;
}

static const char *store_one(const Point *point, yyjson_val *value, uint8_t *data, size_t index) {
    if (point->type == POINT_BOOL) {
        if (!yyjson_is_bool(value)) {
            return "the value must be true or false";
        }
        point_store_bit(data, index, yyjson_get_bool(value));
        return NULL;
    }
    if (!yyjson_is_num(value)) {
        return "the value must be a number";
    }
    bool fits = point_store_number(point, data, index, yyjson_get_num(value));
    return fits ? NULL : "the value is out of the range of the point's type";
}

const char *point_store_json(BackworksCall *call, const Point *point, yyjson_val *value,
                             uint8_t *data) {
    if (point->count == 1) {
        return store_one(point, value, data, 0);
    }
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) != point->count) {
        return backworks_format(call, "the value must be a list of %u values",
                                (unsigned)point->count);
    }
    size_t index, count;
    yyjson_val *item;
    const char *mistake = NULL;
    yyjson_arr_foreach(value, index, count, item) {
        mistake = mistake != NULL ? mistake : store_one(point, item, data, index);
    }
    return mistake;
}
