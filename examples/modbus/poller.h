/* The thread that reads all points again and again. */
#ifndef MODBUS_POLLER_H
#define MODBUS_POLLER_H

#include "master.h"
#include "point.h"
#include "readings.h"

typedef struct Poller {
    Master *master;
    Readings *readings;
    const Point *points;
    size_t count;
    uint32_t interval_ms; /* between the beginnings of two rounds */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool stopping;
    bool wanted; /* a round is to begin at once */
} Poller;

/* Reads one point from the device, and records the result. Any thread. */
Outcome poller_read(Poller *poller, size_t index, MasterTurn turn, int64_t until);

/* Starts the thread, unless the interval is 0. The members up to `interval_ms` are set. False if it cannot start. */
bool poller_start(Poller *poller);

/* Begins a round now. Any thread. */
void poller_wake(Poller *poller);

/* Ends the thread; master_stop() comes first. */
void poller_stop(Poller *poller);

#endif
