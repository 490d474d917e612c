/* Points as JSON: values that were read, and values to write. */
#ifndef MODBUS_POINT_JSON_H
#define MODBUS_POINT_JSON_H

#include <backworks_sdk.h>

#include "point.h"
#include "readings.h"

/* The value in a reply's data: a boolean, a number, a list of them; null for a float that is no finite number. */
yyjson_mut_val *point_value_json(BackworksCall *call, const Point *point, const uint8_t *data);

/* {name, value, unit, age_ms}, and error when the last attempt to read it failed. */
yyjson_mut_val *point_reading_json(BackworksCall *call, const Point *point, const Reading *reading,
                                   int64_t now_ms);

/* Writes a JSON value into a request's data. Returns a sentence about what is wrong with the value, or NULL. */
const char *point_store_json(BackworksCall *call, const Point *point, yyjson_val *value,
                             uint8_t *data);

#endif
