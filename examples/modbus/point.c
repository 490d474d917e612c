#include "point.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t point_width(PointType type) {
    return type == POINT_UINT32 || type == POINT_INT32 || type == POINT_FLOAT32 ? 2 : 1;
}

static bool is_bit_table(ModbusTable table) {
    return table == MODBUS_COILS || table == MODBUS_DISCRETE_INPUTS;
}

static size_t quantity_max(const Point *point) {
    bool bits = is_bit_table(point->table);
    if (point->write == POINT_READ_ONLY) {
        return bits ? MODBUS_READ_BITS_MAX : MODBUS_READ_REGISTERS_MAX;
    }
    return bits ? MODBUS_WRITE_BITS_MAX : MODBUS_WRITE_REGISTERS_MAX;
}

const char *point_mistake(const Point *point) {
    size_t quantity = point->count * point_width(point->type);
    if (is_bit_table(point->table) != (point->type == POINT_BOOL)) {
        return "coils and discrete_inputs have the type bool, registers another type";
    }
    if (quantity < 1 || quantity > quantity_max(point)) {
        return "count is more than one request can carry";
    }
    if (point->address + quantity > 65536) {
        return "the last address is above 65535";
    }
    if (point->write != POINT_READ_ONLY &&
        (point->table == MODBUS_DISCRETE_INPUTS || point->table == MODBUS_INPUT_REGISTERS)) {
        return "discrete_inputs and input_registers cannot be written";
    }
    if (point->write == POINT_WRITE_SINGLE && quantity != 1) {
        return "write: single writes one coil or register; use write: multiple";
    }
    if (!isfinite(point->scale) || point->scale == 0 || !isfinite(point->offset)) {
        return "scale must not be 0";
    }
    return NULL;
}

static ModbusRequest request_for(const Point *point, ModbusFunction function) {
    return (ModbusRequest){.function = function,
                           .address = point->address,
                           .quantity = (uint16_t)(point->count * point_width(point->type))};
}

ModbusRequest point_read_request(const Point *point) {
    static const ModbusFunction functions[] = {
        [MODBUS_COILS] = MODBUS_READ_COILS,
        [MODBUS_DISCRETE_INPUTS] = MODBUS_READ_DISCRETE_INPUTS,
        [MODBUS_HOLDING_REGISTERS] = MODBUS_READ_HOLDING_REGISTERS,
        [MODBUS_INPUT_REGISTERS] = MODBUS_READ_INPUT_REGISTERS,
    };
    return request_for(point, functions[point->table]);
}

ModbusRequest point_write_request(const Point *point) {
    bool single = point->write == POINT_WRITE_SINGLE;
    if (point->table == MODBUS_COILS) {
        return request_for(point, single ? MODBUS_WRITE_SINGLE_COIL : MODBUS_WRITE_MULTIPLE_COILS);
    }
    return request_for(point,
                       single ? MODBUS_WRITE_SINGLE_REGISTER : MODBUS_WRITE_MULTIPLE_REGISTERS);
}

bool point_bit(const uint8_t *data, size_t index) {
    return ((data[index / 8] >> (index % 8)) & 1) != 0;
}

void point_store_bit(uint8_t *data, size_t index, bool value) {
    uint8_t mask = (uint8_t)(1u << (index % 8));
    data[index / 8] = (uint8_t)(value ? data[index / 8] | mask : data[index / 8] & ~mask);
}

static uint32_t load_raw(const Point *point, const uint8_t *data, size_t index) {
    const uint8_t *at = data + index * point_width(point->type) * 2;
    uint32_t first = (uint32_t)(at[0] << 8 | at[1]);
    if (point_width(point->type) == 1) {
        return first;
    }
    uint32_t second = (uint32_t)(at[2] << 8 | at[3]);
    return point->low_word_first ? second << 16 | first : first << 16 | second;
}

static void store_raw(const Point *point, uint8_t *data, size_t index, uint32_t raw) {
    size_t width = point_width(point->type);
    for (size_t word = 0; word < width; word++) {
        size_t shift = 16 * (point->low_word_first ? word : width - 1 - word);
        data[(index * width + word) * 2] = (uint8_t)(raw >> (shift + 8));
        data[(index * width + word) * 2 + 1] = (uint8_t)(raw >> shift);
    }
}

static double typed(PointType type, uint32_t raw) {
    float real;
    switch (type) {
    case POINT_INT16:
        return (int16_t)(uint16_t)raw;
    case POINT_INT32:
        return (int32_t)raw;
    case POINT_FLOAT32:
        memcpy(&real, &raw, sizeof real);
        return real;
    default:
        return raw;
    }
}

/* The shortest decimal number for the same float: 0.1, not 0.100000001490116. */
static double shortest_float(double value) {
    char text[32];
    for (int digits = 6; digits < 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value) {
            return strtod(text, NULL);
        }
    }
    return value;
}

/* Without the rounding error of the scale: 30 × 0.01 is 0.3. */
static double without_noise(double value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.14g", value);
    return strtod(text, NULL);
}

bool point_is_whole(const Point *point) {
    return point->type != POINT_FLOAT32 && point->scale == 1 &&
           point->offset == floor(point->offset) && fabs(point->offset) < 1e15;
}

double point_number(const Point *point, const uint8_t *data, size_t index) {
    double value = typed(point->type, load_raw(point, data, index));
    if (!isfinite(value)) {
        return value;
    }
    if (point->type == POINT_FLOAT32) {
        value = shortest_float(value);
    }
    if (point->scale == 1 && point->offset == 0) {
        return value;
    }
    return without_noise(value * point->scale + point->offset);
}

bool point_store_number(const Point *point, uint8_t *data, size_t index, double value) {
    static const double ranges[][2] = {
        [POINT_UINT16] = {0, UINT16_MAX},
        [POINT_INT16] = {INT16_MIN, INT16_MAX},
        [POINT_UINT32] = {0, UINT32_MAX},
        [POINT_INT32] = {INT32_MIN, INT32_MAX},
    };
    double raw = (value - point->offset) / point->scale;
    uint32_t bits;
    if (point->type == POINT_FLOAT32) {
        float real = fabs(raw) <= (double)3.402823466e+38F ? (float)raw : INFINITY;
        if (!isfinite(real)) {
            return false;
        }
        memcpy(&bits, &real, sizeof bits);
    } else {
        raw = round(raw);
        if (!(raw >= ranges[point->type][0] && raw <= ranges[point->type][1])) {
            return false;
        }
        bits = (uint32_t)(int64_t)raw;
    }
    store_raw(point, data, index, bits);
    return true;
}
