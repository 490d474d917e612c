/* The manifest: a JSON Schema that the server checks the plugin's configuration with. Of modbus_plugin.c only. */
#ifndef MODBUS_CONFIG_MANIFEST_H
#define MODBUS_CONFIG_MANIFEST_H

#include <backworks_sdk.h>

/* clang-format off */
static const char config_manifest[] = BACKWORKS_JSON({
    "config_schema": {
        "type": "object",
        "additionalProperties": false,
        "required": ["host", "points"],
        "properties": {
            "host": {"type": "string", "description": "IPv4 or IPv6 address of the device."},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 502},
            "unit_id": {"type": "integer", "minimum": 0, "maximum": 255, "default": 1},
            "poll_interval_ms": {"type": "integer", "minimum": 0, "maximum": 3600000, "default": 1000},
            "timeout_ms": {"type": "integer", "minimum": 10, "maximum": 60000, "default": 500},
            "reconnect_max_ms": {"type": "integer", "minimum": 100, "maximum": 600000, "default": 5000},
            "points": {
                "type": "array",
                "minItems": 1,
                "maxItems": 512,
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name", "table", "address"],
                    "properties": {
                        "name": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
                        "table": {"enum": ["coils", "discrete_inputs", "holding_registers",
                                           "input_registers"]},
                        "address": {"type": "integer", "minimum": 0, "maximum": 65535},
                        "type": {"enum": ["bool", "uint16", "int16", "uint32", "int32", "float32"]},
                        "count": {"type": "integer", "minimum": 1, "maximum": 2000, "default": 1},
                        "word_order": {"enum": ["high_first", "low_first"], "default": "high_first"},
                        "scale": {"type": "number", "default": 1},
                        "offset": {"type": "number", "default": 0},
                        "unit": {"type": "string", "maxLength": 32},
                        "write": {"enum": ["none", "single", "multiple"], "default": "none"}
                    }
                }
            }
        }
    }
});
/* clang-format on */

#endif
