#include "master.h"

#include <string.h>
#include <time.h>

#include <backworks_sdk.h>

enum { RETRY_PAUSE_MIN_MS = 100 };

static int64_t earlier(int64_t one, int64_t other) {
    return one < other ? one : other;
}

bool master_init(Master *master, MasterSettings settings) {
    memset(master, 0, sizeof *master);
    master->settings = settings;
    master->failure = outcome(OUTCOME_NOT_CONNECTED, "no request has been sent yet");
    if (!connection_init(&master->connection, settings.host, settings.port)) {
        return false;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&master->mutex, NULL);
    (void)pthread_cond_init(&master->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return true;
}

/* Waits for the connection to be free. False when the time is over. */
static bool acquire(Master *master, MasterTurn turn, int64_t until) {
    struct timespec moment = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
    bool urgent = turn == MASTER_URGENT, in_time = true;
    (void)pthread_mutex_lock(&master->mutex);
    master->urgent += urgent;
    while ((master->busy || (!urgent && master->urgent > 0)) && in_time) {
        in_time = pthread_cond_timedwait(&master->changed, &master->mutex, &moment) == 0;
    }
    master->urgent -= urgent;
    bool acquired = !master->busy && (urgent || master->urgent == 0);
    master->busy = master->busy || acquired;
    (void)pthread_mutex_unlock(&master->mutex);
    return acquired;
}

static void release(Master *master, const Outcome *result) {
    (void)pthread_mutex_lock(&master->mutex);
    master->busy = false;
    master->connected = master->connection.socket >= 0;
    if (!master->connected) {
        master->failure = *result;
    }
    (void)pthread_cond_broadcast(&master->changed);
    (void)pthread_mutex_unlock(&master->mutex);
}

/* Closes the connection. The next may be opened at once if this one has worked, else after a longer pause each time. */
static void give_up(Master *master, const Outcome *why) {
    bool first = master->proven || master->retry_pause_ms == 0;
    connection_close(&master->connection);
    if (master->proven) {
        master->retry_pause_ms = 0;
        master->retry_at = 0;
    } else {
        uint64_t doubled = (uint64_t)master->retry_pause_ms * 2;
        uint64_t pause = doubled < RETRY_PAUSE_MIN_MS ? RETRY_PAUSE_MIN_MS : doubled;
        uint32_t longest = master->settings.reconnect_max_ms;
        master->retry_pause_ms = pause < longest ? (uint32_t)pause : longest;
        master->retry_at = monotonic_ms() + master->retry_pause_ms;
    }
    master->proven = false;
    if (first) {
        BACKWORKS_WARN("no connection to %s port %u: %s; it will be opened again",
                       master->settings.host, (unsigned)master->settings.port, why->reason);
    }
}

static Outcome ensure_open(Master *master, int64_t until) {
    if (connection_is_usable(&master->connection)) {
        return outcome(OUTCOME_ANSWERED, "%s", "");
    }
    Outcome why = master->failure;
    if (master->connection.socket >= 0) {
        why = outcome(OUTCOME_NOT_CONNECTED,
                      "the device closed the connection, or sent bytes without a request");
        give_up(master, &why);
    }
    if (monotonic_ms() < master->retry_at) {
        return why;
    }
    int64_t limit = earlier(until, monotonic_ms() + master->settings.timeout_ms);
    Outcome opened = connection_open(&master->connection, limit);
    if (opened.kind != OUTCOME_ANSWERED) {
        give_up(master, &opened);
    }
    return opened;
}

static Outcome receive_reply(Master *master, const ModbusRequest *request, int64_t until,
                             uint8_t data[MODBUS_DATA_MAX]) {
    /* One byte more than a reply can have, to see that it has too many. */
    uint8_t bytes[MODBUS_ADU_MAX + 1];
    size_t size = 0;
    ModbusReply reply;
    do {
        size_t more = sizeof bytes - size;
        Outcome received = connection_receive(&master->connection, bytes + size, &more, until);
        if (received.kind == OUTCOME_NOT_CONNECTED && size > 0) {
            return outcome(OUTCOME_REFUSED_REPLY, "the connection ended inside the reply");
        }
        if (received.kind != OUTCOME_ANSWERED) {
            return received;
        }
        size += more;
        reply = modbus_decode(request, bytes, size);
    } while (reply.verdict == MODBUS_INCOMPLETE);
    if (reply.verdict == MODBUS_REFUSED) {
        return outcome(OUTCOME_REFUSED_REPLY, "the reply was refused: %s", reply.reason);
    }
    if (reply.verdict == MODBUS_EXCEPTION) {
        Outcome exception =
            outcome(OUTCOME_EXCEPTION, "the device answered with exception %u, %s",
                    (unsigned)reply.exception, modbus_exception_name(reply.exception));
        exception.exception = reply.exception;
        return exception;
    }
    if (reply.data_size > 0) {
        memcpy(data, reply.data, reply.data_size);
    }
    return outcome(OUTCOME_ANSWERED, "%s", "");
}

static Outcome exchange(Master *master, ModbusRequest *request, int64_t until,
                        uint8_t data[MODBUS_DATA_MAX]) {
    uint8_t adu[MODBUS_ADU_MAX];
    request->transaction_id = ++master->transaction_id;
    request->unit_id = master->settings.unit_id;
    size_t size = modbus_encode(request, adu);
    if (size == 0) {
        return outcome(OUTCOME_REFUSED_REPLY, "the request does not fit the protocol");
    }
    int64_t limit = earlier(until, monotonic_ms() + master->settings.timeout_ms);
    Outcome result = connection_send(&master->connection, adu, size, limit);
    if (result.kind == OUTCOME_ANSWERED) {
        result = receive_reply(master, request, limit, data);
    }
    result.sent = true;
    if (result.kind != OUTCOME_ANSWERED && result.kind != OUTCOME_EXCEPTION) {
        give_up(master, &result);
        return result;
    }
    if (!master->proven) {
        BACKWORKS_INFO("connected to %s port %u", master->settings.host,
                       (unsigned)master->settings.port);
    }
    master->proven = true;
    master->retry_pause_ms = 0;
    return result;
}

Outcome master_transact(Master *master, ModbusRequest *request, MasterTurn turn, int64_t until,
                        uint8_t data[MODBUS_DATA_MAX]) {
    if (!acquire(master, turn, until)) {
        return outcome(OUTCOME_NO_REPLY, "other requests took all the time");
    }
    Outcome result = ensure_open(master, until);
    if (result.kind == OUTCOME_ANSWERED) {
        result = exchange(master, request, until, data);
    } else {
        result.kind = OUTCOME_NOT_CONNECTED;
    }
    release(master, &result);
    return result;
}

Outcome master_state(Master *master) {
    (void)pthread_mutex_lock(&master->mutex);
    Outcome state = master->connected ? outcome(OUTCOME_ANSWERED, "%s", "") : master->failure;
    (void)pthread_mutex_unlock(&master->mutex);
    return state;
}

void master_stop(Master *master) {
    atomic_store(&master->connection.stopping, true);
}

void master_destroy(Master *master) {
    connection_close(&master->connection);
    (void)pthread_cond_destroy(&master->changed);
    (void)pthread_mutex_destroy(&master->mutex);
}
