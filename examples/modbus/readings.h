/* The last values of all points, as bytes of the device, for any thread. */
#ifndef MODBUS_READINGS_H
#define MODBUS_READINGS_H

#include <pthread.h>

#include "adu.h"
#include "outcome.h"

typedef struct Reading {
    bool known;         /* it was read once */
    int64_t read_at_ms; /* of the monotonic clock */
    Outcome outcome;    /* of the last attempt */
    uint8_t data[MODBUS_DATA_MAX];
} Reading;

typedef struct Readings {
    pthread_mutex_t mutex;
    Reading *list; /* one for each point */
} Readings;

/* False without memory. */
bool readings_init(Readings *readings, size_t count);

/* Records how reading a point ended: keeps the data if it was answered, else the former data. */
void readings_record(Readings *readings, size_t index, const Outcome *outcome, const uint8_t *data,
                     int64_t now_ms);

/* A copy. */
Reading readings_get(Readings *readings, size_t index);

void readings_destroy(Readings *readings);

#endif
