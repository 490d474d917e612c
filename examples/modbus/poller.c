#include "poller.h"

#include <time.h>

/* The thread needs little; the stacks of threads count towards the plugin's memory. */
enum { STACK_SIZE = 256 * 1024 };

Outcome poller_read(Poller *poller, size_t index, MasterTurn turn, int64_t until) {
    uint8_t data[MODBUS_DATA_MAX] = {0};
    ModbusRequest request = point_read_request(&poller->points[index]);
    Outcome result = master_transact(poller->master, &request, turn, until, data);
    readings_record(poller->readings, index, &result, data, monotonic_ms());
    return result;
}

/* Waits for the next round. False when the thread is to end. */
static bool wait_until(Poller *poller, int64_t moment) {
    struct timespec until = {.tv_sec = moment / 1000, .tv_nsec = moment % 1000 * 1000000};
    (void)pthread_mutex_lock(&poller->mutex);
    while (!poller->stopping && !poller->wanted && monotonic_ms() < moment) {
        (void)pthread_cond_timedwait(&poller->woken, &poller->mutex, &until);
    }
    poller->wanted = false;
    bool go_on = !poller->stopping;
    (void)pthread_mutex_unlock(&poller->mutex);
    return go_on;
}

static void *poll_points(void *context) {
    Poller *poller = (Poller *)context;
    int64_t begin;
    do {
        begin = monotonic_ms();
        /* Each point may wait for a connection, for a reply, and for HTTP requests that go first. */
        int64_t patience = 4 * (int64_t)poller->master->settings.timeout_ms;
        for (size_t i = 0; i < poller->count && !atomic_load(&poller->master->connection.stopping);
             i++) {
            (void)poller_read(poller, i, MASTER_BACKGROUND, monotonic_ms() + patience);
        }
    } while (wait_until(poller, begin + poller->interval_ms));
    return NULL;
}

bool poller_start(Poller *poller) {
    poller->stopping = false;
    poller->wanted = false;
    if (poller->interval_ms == 0) {
        return true;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&poller->mutex, NULL);
    (void)pthread_cond_init(&poller->woken, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int error = pthread_create(&poller->thread, &attributes, poll_points, poller);
    (void)pthread_attr_destroy(&attributes);
    return error == 0;
}

void poller_wake(Poller *poller) {
    if (poller->interval_ms == 0) {
        return;
    }
    (void)pthread_mutex_lock(&poller->mutex);
    poller->wanted = true;
    (void)pthread_cond_signal(&poller->woken);
    (void)pthread_mutex_unlock(&poller->mutex);
}

void poller_stop(Poller *poller) {
    if (poller->interval_ms == 0) {
        return;
    }
    (void)pthread_mutex_lock(&poller->mutex);
    poller->stopping = true;
    (void)pthread_cond_signal(&poller->woken);
    (void)pthread_mutex_unlock(&poller->mutex);
    (void)pthread_join(poller->thread, NULL);
    (void)pthread_cond_destroy(&poller->woken);
    (void)pthread_mutex_destroy(&poller->mutex);
}
