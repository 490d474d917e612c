#include "adu.h"

#include <string.h>

static uint16_t read_u16(const uint8_t *at) {
    return (uint16_t)((at[0] << 8) | at[1]);
}

static void write_u16(uint8_t *at, size_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

bool modbus_is_bits(ModbusFunction function) {
    return function == MODBUS_READ_COILS || function == MODBUS_READ_DISCRETE_INPUTS ||
           function == MODBUS_WRITE_SINGLE_COIL || function == MODBUS_WRITE_MULTIPLE_COILS;
}

size_t modbus_data_size(ModbusFunction function, size_t quantity) {
    return modbus_is_bits(function) ? (quantity + 7) / 8 : quantity * 2;
}

static bool is_read(ModbusFunction function) {
    return function <= MODBUS_READ_INPUT_REGISTERS;
}

static size_t quantity_max(ModbusFunction function) {
    switch (function) {
    case MODBUS_READ_COILS:
    case MODBUS_READ_DISCRETE_INPUTS:
        return MODBUS_READ_BITS_MAX;
    case MODBUS_READ_HOLDING_REGISTERS:
    case MODBUS_READ_INPUT_REGISTERS:
        return MODBUS_READ_REGISTERS_MAX;
    case MODBUS_WRITE_SINGLE_COIL:
    case MODBUS_WRITE_SINGLE_REGISTER:
        return 1;
    case MODBUS_WRITE_MULTIPLE_COILS:
        return MODBUS_WRITE_BITS_MAX;
    case MODBUS_WRITE_MULTIPLE_REGISTERS:
        return MODBUS_WRITE_REGISTERS_MAX;
    }
    return 0;
}

/* The two bytes after the address: a quantity, or the value of functions 5 and 6. Replies to writes repeat them. */
static void write_operand(const ModbusRequest *request, uint8_t *at) {
    if (request->function == MODBUS_WRITE_SINGLE_COIL) {
        write_u16(at, (request->data[0] & 1) != 0 ? 0xff00 : 0);
    } else if (request->function == MODBUS_WRITE_SINGLE_REGISTER) {
        memcpy(at, request->data, 2);
    } else {
        write_u16(at, request->quantity);
    }
}

size_t modbus_encode(const ModbusRequest *request, uint8_t adu[MODBUS_ADU_MAX]) {
    size_t quantity = request->quantity;
    if (quantity < 1 || quantity > quantity_max(request->function) ||
        request->address + quantity > 65536) {
        return 0;
    }
    size_t size = MODBUS_MBAP_SIZE + 5;
    adu[MODBUS_MBAP_SIZE] = (uint8_t)request->function;
    write_u16(adu + 8, request->address);
    write_operand(request, adu + 10);
    if (request->function == MODBUS_WRITE_MULTIPLE_COILS ||
        request->function == MODBUS_WRITE_MULTIPLE_REGISTERS) {
        size_t bytes = modbus_data_size(request->function, quantity);
        adu[size++] = (uint8_t)bytes;
        memcpy(adu + size, request->data, bytes);
        size += bytes;
    }
    write_u16(adu, request->transaction_id);
    write_u16(adu + 2, 0);
    write_u16(adu + 4, size - 6);
    adu[6] = request->unit_id;
    return size;
}

static ModbusReply refuse(const char *reason) {
    return (ModbusReply){.verdict = MODBUS_REFUSED, .reason = reason};
}

/* The value of the MBAP length field that a reply without an exception must have: unit, function and the rest. */
static size_t expected_length(const ModbusRequest *request) {
    return is_read(request->function) ? 3 + modbus_data_size(request->function, request->quantity)
                                      : 6;
}

/* The part of a complete reply after its function code. */
static ModbusReply judge_body(const ModbusRequest *request, const uint8_t *body) {
    if (is_read(request->function)) {
        size_t size = modbus_data_size(request->function, request->quantity);
        if (body[0] != size) {
            return refuse("wrong byte count");
        }
        return (ModbusReply){.verdict = MODBUS_ANSWERED, .data = body + 1, .data_size = size};
    }
    uint8_t operand[2];
    write_operand(request, operand);
    if (read_u16(body) != request->address || memcmp(body + 2, operand, 2) != 0) {
        return refuse("the reply does not repeat what was written");
    }
    return (ModbusReply){.verdict = MODBUS_ANSWERED};
}

ModbusReply modbus_decode(const ModbusRequest *request, const uint8_t *bytes, size_t size) {
    const ModbusReply incomplete = {.verdict = MODBUS_INCOMPLETE};
    if (size >= 2 && read_u16(bytes) != request->transaction_id) {
        return refuse("wrong transaction id");
    }
    if (size >= 4 && read_u16(bytes + 2) != 0) {
        return refuse("wrong protocol id");
    }
    if (size < 6) {
        return incomplete;
    }
    size_t length = read_u16(bytes + 4), expected = expected_length(request);
    if (length != 3 && length != expected) {
        return refuse("wrong length");
    }
    if (size >= 7 && bytes[6] != request->unit_id) {
        return refuse("wrong unit id");
    }
    if (size <= MODBUS_MBAP_SIZE) {
        return incomplete;
    }
    uint8_t function = bytes[MODBUS_MBAP_SIZE];
    bool exception = function == ((uint8_t)request->function | 0x80);
    if (!exception && function != (uint8_t)request->function) {
        return refuse("wrong function code");
    }
    if (length != (exception ? 3 : expected)) {
        return refuse("wrong length");
    }
    if (size > 6 + length) {
        return refuse("bytes after the reply");
    }
    if (size < 6 + length) {
        return incomplete;
    }
    if (exception) {
        return (ModbusReply){.verdict = MODBUS_EXCEPTION, .exception = bytes[8]};
    }
    return judge_body(request, bytes + 8);
}

const char *modbus_exception_name(uint8_t code) {
    static const char *const names[] = {
        [1] = "ILLEGAL FUNCTION",
        [2] = "ILLEGAL DATA ADDRESS",
        [3] = "ILLEGAL DATA VALUE",
        [4] = "SERVER DEVICE FAILURE",
        [5] = "ACKNOWLEDGE",
        [6] = "SERVER DEVICE BUSY",
        [7] = "NEGATIVE ACKNOWLEDGE", /* of older versions; V1.1b3 does not define it */
        [8] = "MEMORY PARITY ERROR",
        [10] = "GATEWAY PATH UNAVAILABLE",
        [11] = "GATEWAY TARGET DEVICE FAILED TO RESPOND",
    };
    bool known = code < sizeof names / sizeof names[0] && names[code] != NULL;
    return known ? names[code] : "not defined by the specification";
}
