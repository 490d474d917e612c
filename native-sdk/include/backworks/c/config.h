/*
 * Typed configuration: the fields of a struct, declared once. The SDK reads the plugin's `config:` block into
 * the struct, and makes the JSON Schema that the server checks the block with before it starts the plugin.
 *
 *     typedef struct Config {
 *         const char *city;
 *         int64_t retries;
 *     } Config;
 *
 *     static const BackworksField config_fields[] = {
 *         BACKWORKS_FIELD(Config, city, .description = "Where to look.", .required = true),
 *         BACKWORKS_FIELD(Config, retries, .default_integer = 3, .minimum = 0, .maximum = 10),
 *         BACKWORKS_FIELDS_END,
 *     };
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_CONFIG_H
#define BACKWORKS_C_CONFIG_H

#include "host.h"

/* A list of texts. */
typedef struct BackworksTexts {
    const char *const *items;
    size_t count;
} BackworksTexts;

typedef enum BackworksFieldKind {
    BACKWORKS_FIELD_NONE,
    BACKWORKS_FIELD_TEXT,
    BACKWORKS_FIELD_INTEGER,
    BACKWORKS_FIELD_NUMBER,
    BACKWORKS_FIELD_BOOLEAN,
    BACKWORKS_FIELD_TEXTS,
    BACKWORKS_FIELD_CHOICE
} BackworksFieldKind;

/* A field of the configuration. Without a default, a text is NULL, a number 0, a list empty. */
typedef struct BackworksField {
    const char *name;
    BackworksFieldKind kind;
    size_t offset;
    const char *description;
    bool required;
    const char *default_text;
    int64_t default_integer; /* of a choice: the index */
    double default_number;
    bool default_boolean;
    double minimum; /* of numbers; no limits when both are 0 */
    double maximum;
    const char *const *choices; /* what a text may be, up to a NULL; an int holds the index */
} BackworksField;

/* A member of a struct as a field: const char *, int64_t, double, bool, BackworksTexts, or int for a choice. */
#define BACKWORKS_FIELD(type, member, ...)                                                         \
    {.name = #member,                                                                              \
     .kind = _Generic(((type *)0)->member,                                                         \
         const char *: BACKWORKS_FIELD_TEXT,                                                       \
         int64_t: BACKWORKS_FIELD_INTEGER,                                                         \
         double: BACKWORKS_FIELD_NUMBER,                                                           \
         bool: BACKWORKS_FIELD_BOOLEAN,                                                            \
         BackworksTexts: BACKWORKS_FIELD_TEXTS,                                                    \
         int: BACKWORKS_FIELD_CHOICE),                                                             \
     .offset = offsetof(type, member),                                                             \
     __VA_ARGS__}
#define BACKWORKS_FIELDS_END {.name = NULL}

static BACKWORKS_UNUSED _Noreturn void
backworks_config_wrong(BackworksCall *call, const BackworksField *field, const char *expected) {
    backworks_leave(call, backworks_format(call, "config: %s: expected %s", field->name, expected));
}

static BACKWORKS_UNUSED const char *backworks_config_text(BackworksCall *call,
                                                          BackworksArena *memory,
                                                          const BackworksField *field,
                                                          yyjson_val *value) {
    if (!yyjson_is_str(value)) {
        backworks_config_wrong(call, field, "a text");
    }
    size_t size = yyjson_get_len(value) + 1;
    char *text = (char *)backworks_arena_take(memory, size);
    if (text == NULL) {
        backworks_leave(call, "out of memory");
    }
    return (const char *)memcpy(text, yyjson_get_str(value), size);
}

static BACKWORKS_UNUSED BackworksTexts backworks_config_texts(BackworksCall *call,
                                                              BackworksArena *memory,
                                                              const BackworksField *field,
                                                              yyjson_val *value) {
    if (!yyjson_is_arr(value)) {
        backworks_config_wrong(call, field, "a list of texts");
    }
    size_t index, count = yyjson_arr_size(value);
    const char **items =
        (const char **)backworks_arena_take(memory, (count + 1) * sizeof(const char *));
    if (items == NULL) {
        backworks_leave(call, "out of memory");
    }
    yyjson_val *item;
    yyjson_arr_foreach(value, index, count, item) {
        items[index] = backworks_config_text(call, memory, field, item);
    }
    return (BackworksTexts){items, count};
}

static BACKWORKS_UNUSED int
backworks_config_choice(BackworksCall *call, const BackworksField *field, yyjson_val *value) {
    for (int index = 0; field->choices != NULL && field->choices[index] != NULL; index++) {
        if (yyjson_equals_str(value, field->choices[index])) {
            return index;
        }
    }
    backworks_config_wrong(call, field, "one of its choices");
}

static BACKWORKS_UNUSED void backworks_config_in_range(BackworksCall *call,
                                                       const BackworksField *field, double value) {
    bool limited = field->minimum != 0 || field->maximum != 0;
    if (limited && !(value >= field->minimum && value <= field->maximum)) {
        backworks_config_wrong(
            call, field,
            backworks_format(call, "a number from %.15g to %.15g", field->minimum, field->maximum));
    }
}

/* Writes the value of a field to its member of the struct. */
static BACKWORKS_UNUSED void backworks_config_field(BackworksCall *call, BackworksArena *memory,
                                                    const BackworksField *field, yyjson_val *value,
                                                    void *member) {
    switch (field->kind) {
    case BACKWORKS_FIELD_TEXT:
        *(const char **)member =
            value == NULL ? field->default_text : backworks_config_text(call, memory, field, value);
        break;
    case BACKWORKS_FIELD_TEXTS:
        *(BackworksTexts *)member = value == NULL
                                        ? (BackworksTexts){NULL, 0}
                                        : backworks_config_texts(call, memory, field, value);
        break;
    case BACKWORKS_FIELD_CHOICE:
        *(int *)member = value == NULL ? (int)field->default_integer
                                       : backworks_config_choice(call, field, value);
        break;
    case BACKWORKS_FIELD_BOOLEAN:
        if (value != NULL && !yyjson_is_bool(value)) {
            backworks_config_wrong(call, field, "true or false");
        }
        *(bool *)member = value == NULL ? field->default_boolean : yyjson_get_bool(value);
        break;
    case BACKWORKS_FIELD_INTEGER:
        if (value != NULL && !(yyjson_is_sint(value) ||
                               (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX))) {
            backworks_config_wrong(call, field, "a whole number");
        }
        *(int64_t *)member = value == NULL ? field->default_integer : yyjson_get_sint(value);
        if (value != NULL) {
            backworks_config_in_range(call, field, (double)yyjson_get_sint(value));
        }
        break;
    case BACKWORKS_FIELD_NUMBER:
        if (value != NULL && !yyjson_is_num(value)) {
            backworks_config_wrong(call, field, "a number");
        }
        *(double *)member = value == NULL ? field->default_number : yyjson_get_num(value);
        if (value != NULL) {
            backworks_config_in_range(call, field, yyjson_get_num(value));
        }
        break;
    case BACKWORKS_FIELD_NONE:
        break;
    }
}

/* Reads the `config:` block into the struct at `into`; its texts are in `memory`. */
static BACKWORKS_UNUSED void backworks_config_read(BackworksCall *call, BackworksArena *memory,
                                                   const BackworksField *fields, void *into) {
    yyjson_val *config = backworks_payload(call);
    size_t index, count;
    yyjson_val *key, *ignored;
    if (!yyjson_is_obj(config)) {
        backworks_leave(call, "config: expected an object");
    }
    yyjson_obj_foreach(config, index, count, key, ignored) {
        const BackworksField *field = fields;
        while (field->name != NULL && !yyjson_equals_str(key, field->name)) {
            field++;
        }
        if (field->name == NULL) {
            backworks_leave(call,
                            backworks_format(call, "config: unknown key %s", yyjson_get_str(key)));
        }
    }
    for (const BackworksField *field = fields; field->name != NULL; field++) {
        yyjson_val *value = backworks_get(config, field->name);
        if (value == NULL && field->required) {
            backworks_leave(call, backworks_format(call, "config: %s is required", field->name));
        }
        backworks_config_field(call, memory, field, value, (char *)into + field->offset);
    }
}

static BACKWORKS_UNUSED yyjson_mut_val *backworks_schema_type(yyjson_mut_doc *json,
                                                              const BackworksField *field) {
    static const char *const types[] = {"null",    "string", "integer", "number",
                                        "boolean", "array",  "string"};
    yyjson_mut_val *schema = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, schema, "type", types[field->kind]);
    if (field->description != NULL) {
        yyjson_mut_obj_add_str(json, schema, "description", field->description);
    }
    if (field->kind == BACKWORKS_FIELD_TEXTS) {
        yyjson_mut_val *items = yyjson_mut_obj_add_obj(json, schema, "items");
        yyjson_mut_obj_add_str(json, items, "type", "string");
    }
    if (field->kind == BACKWORKS_FIELD_CHOICE && field->choices != NULL) {
        yyjson_mut_val *choices = yyjson_mut_obj_add_arr(json, schema, "enum");
        for (const char *const *choice = field->choices; *choice != NULL; choice++) {
            yyjson_mut_arr_add_str(json, choices, *choice);
        }
    }
    if (field->minimum != 0 || field->maximum != 0) {
        bool whole = field->kind == BACKWORKS_FIELD_INTEGER;
        double minimum = field->minimum, maximum = field->maximum;
        yyjson_mut_obj_add_val(json, schema, "minimum",
                               whole ? yyjson_mut_sint(json, (int64_t)minimum)
                                     : yyjson_mut_real(json, minimum));
        yyjson_mut_obj_add_val(json, schema, "maximum",
                               whole ? yyjson_mut_sint(json, (int64_t)maximum)
                                     : yyjson_mut_real(json, maximum));
    }
    return schema;
}

static BACKWORKS_UNUSED yyjson_mut_val *backworks_schema_default(yyjson_mut_doc *json,
                                                                 const BackworksField *field) {
    switch (field->kind) {
    case BACKWORKS_FIELD_TEXT:
        return field->default_text == NULL ? NULL : yyjson_mut_str(json, field->default_text);
    case BACKWORKS_FIELD_INTEGER:
        return yyjson_mut_sint(json, field->default_integer);
    case BACKWORKS_FIELD_NUMBER:
        return yyjson_mut_real(json, field->default_number);
    case BACKWORKS_FIELD_BOOLEAN:
        return yyjson_mut_bool(json, field->default_boolean);
    case BACKWORKS_FIELD_TEXTS:
        return yyjson_mut_arr(json);
    case BACKWORKS_FIELD_CHOICE:
        return field->choices == NULL
                   ? NULL
                   : yyjson_mut_str(json, field->choices[field->default_integer]);
    case BACKWORKS_FIELD_NONE:
        break;
    }
    return NULL;
}

/* The JSON Schema (draft-07) of the fields. */
static BACKWORKS_UNUSED yyjson_mut_val *backworks_config_schema(yyjson_mut_doc *json,
                                                                const BackworksField *fields) {
    yyjson_mut_val *schema = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, schema, "type", "object");
    yyjson_mut_obj_add_bool(json, schema, "additionalProperties", false);
    yyjson_mut_val *properties = yyjson_mut_obj_add_obj(json, schema, "properties");
    yyjson_mut_val *required = yyjson_mut_arr(json);
    for (const BackworksField *field = fields; field->name != NULL; field++) {
        yyjson_mut_val *property = backworks_schema_type(json, field);
        yyjson_mut_val *value = backworks_schema_default(json, field);
        if (field->required) {
            yyjson_mut_arr_add_str(json, required, field->name);
        } else if (value != NULL) {
            yyjson_mut_obj_add_val(json, property, "default", value);
        }
        yyjson_mut_obj_add_val(json, properties, field->name, property);
    }
    if (yyjson_mut_arr_size(required) > 0) {
        yyjson_mut_obj_add_val(json, schema, "required", required);
    }
    return schema;
}

#endif /* BACKWORKS_C_CONFIG_H */
