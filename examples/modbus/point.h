/* A point: a named value of the device, and how its bits or registers are to be read. */
#ifndef MODBUS_POINT_H
#define MODBUS_POINT_H

#include "adu.h"

typedef enum ModbusTable {
    MODBUS_COILS,
    MODBUS_DISCRETE_INPUTS,
    MODBUS_HOLDING_REGISTERS,
    MODBUS_INPUT_REGISTERS,
} ModbusTable;

typedef enum PointType {
    POINT_BOOL,
    POINT_UINT16,
    POINT_INT16,
    POINT_UINT32,
    POINT_INT32,
    POINT_FLOAT32,
} PointType;

typedef enum PointWrite {
    POINT_READ_ONLY,
    POINT_WRITE_SINGLE,   /* functions 5 and 6 */
    POINT_WRITE_MULTIPLE, /* functions 15 and 16 */
} PointWrite;

typedef struct Point {
    const char *name;
    const char *unit; /* NULL without one */
    ModbusTable table;
    PointType type;
    PointWrite write;
    uint16_t address; /* of the protocol: the first is 0 */
    uint16_t count;   /* values; more than 1 makes the point a list */
    bool low_word_first;
    double scale;
    double offset;
} Point;

/* Bits or registers that one value takes: 1 or 2. */
size_t point_width(PointType type);

/* What is wrong with a point: a static sentence. NULL when it can be used. */
const char *point_mistake(const Point *point);

/* The request that reads the point; unit and transaction are left to the connection. */
ModbusRequest point_read_request(const Point *point);

/* The request that writes the point, with data that point_store() fills in. */
ModbusRequest point_write_request(const Point *point);

/* Whether value number `index` of a reply's data is set. Of POINT_BOOL. */
bool point_bit(const uint8_t *data, size_t index);

/* Value number `index` of a reply's data, scaled. May be infinite or not a number: of POINT_FLOAT32. */
double point_number(const Point *point, const uint8_t *data, size_t index);

/* Whether the point's values are whole numbers. */
bool point_is_whole(const Point *point);

/* Sets bit number `index` of a request's data. Of POINT_BOOL. */
void point_store_bit(uint8_t *data, size_t index, bool value);

/* Writes a scaled number into a request's data, rounded to the nearest that the type has. False when it does not fit. */
bool point_store_number(const Point *point, uint8_t *data, size_t index, double value);

#endif
