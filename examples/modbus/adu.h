/*
 * The wire format of Modbus TCP: application data units (ADU), as in "MODBUS Application Protocol Specification
 * V1.1b3" and "MODBUS Messaging on TCP/IP Implementation Guide V1.0b". Works on bytes only, without sockets.
 */
#ifndef MODBUS_ADU_H
#define MODBUS_ADU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODBUS_MBAP_SIZE = 7,
    MODBUS_ADU_MAX = 260,
    MODBUS_READ_BITS_MAX = 2000,
    MODBUS_READ_REGISTERS_MAX = 125,
    MODBUS_WRITE_BITS_MAX = 1968,
    MODBUS_WRITE_REGISTERS_MAX = 123,
    /* The most data that a request or a reply carries: 125 registers, or 2000 bits. */
    MODBUS_DATA_MAX = 250,
};

typedef enum ModbusFunction {
    MODBUS_READ_COILS = 1,
    MODBUS_READ_DISCRETE_INPUTS = 2,
    MODBUS_READ_HOLDING_REGISTERS = 3,
    MODBUS_READ_INPUT_REGISTERS = 4,
    MODBUS_WRITE_SINGLE_COIL = 5,
    MODBUS_WRITE_SINGLE_REGISTER = 6,
    MODBUS_WRITE_MULTIPLE_COILS = 15,
    MODBUS_WRITE_MULTIPLE_REGISTERS = 16,
} ModbusFunction;

typedef struct ModbusRequest {
    uint16_t transaction_id;
    uint8_t unit_id;
    ModbusFunction function;
    uint16_t address;
    uint16_t quantity; /* coils, inputs or registers; 1 for functions 5 and 6 */
    /* What to write. Bits: eight a byte, the first is the lowest. Registers: two bytes each, the high one first. */
    uint8_t data[MODBUS_DATA_MAX];
} ModbusRequest;

typedef enum ModbusVerdict {
    MODBUS_INCOMPLETE, /* more bytes are needed */
    MODBUS_ANSWERED,
    MODBUS_EXCEPTION,
    MODBUS_REFUSED, /* not a reply to the request: the connection is of no use any more */
} ModbusVerdict;

typedef struct ModbusReply {
    ModbusVerdict verdict;
    uint8_t exception;  /* of MODBUS_EXCEPTION */
    const char *reason; /* of MODBUS_REFUSED; static */
    const uint8_t
        *data; /* of an answered read: the bits or registers, inside the bytes that were decoded */
    size_t data_size;
} ModbusReply;

bool modbus_is_bits(ModbusFunction function);

/* Bytes that `quantity` bits or registers of the function take. */
size_t modbus_data_size(ModbusFunction function, size_t quantity);

/*
 * Writes the request.
 * Returns: its size; 0 when the quantity is out of the function's range, or the addresses pass 65535.
 */
size_t modbus_encode(const ModbusRequest *request, uint8_t adu[MODBUS_ADU_MAX]);

/*
 * Judges what has arrived since the request was sent, complete or not. A wrong byte is refused as soon as it is
 * there, without waiting for the rest. Reads at most `size` bytes.
 */
ModbusReply modbus_decode(const ModbusRequest *request, const uint8_t *bytes, size_t size);

/* The name of an exception code in the specification; static. */
const char *modbus_exception_name(uint8_t code);

#endif
