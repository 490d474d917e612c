/* The Modbus master: one request at a time to one device, over a connection that it opens again when it breaks. */
#ifndef MODBUS_MASTER_H
#define MODBUS_MASTER_H

#include <pthread.h>

#include "adu.h"
#include "connection.h"

typedef struct MasterSettings {
    const char *host; /* an address; outlives the master */
    uint16_t port;
    uint8_t unit_id;
    uint32_t timeout_ms;       /* longest wait for a connection, and for a reply */
    uint32_t reconnect_max_ms; /* longest pause after a failed connection */
} MasterSettings;

typedef struct Master {
    MasterSettings settings;
    pthread_mutex_t mutex; /* of the members up to `failure` */
    pthread_cond_t changed;
    bool busy;       /* a thread uses the members below */
    unsigned urgent; /* threads of HTTP requests that wait */
    bool connected;
    Outcome failure; /* why it is not connected */
    Connection connection;
    bool proven;      /* a reply has come over this connection */
    int64_t retry_at; /* no connection is opened before */
    uint32_t retry_pause_ms;
    uint16_t transaction_id;
} Master;

typedef enum MasterTurn {
    MASTER_BACKGROUND, /* waits while others wait */
    MASTER_URGENT,
} MasterTurn;

/* False when the host is not an address. */
bool master_init(Master *master, MasterSettings settings);

/*
 * Sends a request, whose unit and transaction it fills in, and waits for the reply until the moment `until` at most.
 * `data` gets the bits or registers of an answered read. A request is never sent twice. After everything but
 * OUTCOME_ANSWERED and OUTCOME_EXCEPTION the connection is closed. Any thread.
 */
Outcome master_transact(Master *master, ModbusRequest *request, MasterTurn turn, int64_t until,
                        uint8_t data[MODBUS_DATA_MAX]);

/* OUTCOME_ANSWERED while there is a connection, or why there is none. Any thread. */
Outcome master_state(Master *master);

/* Ends every wait soon. Any thread. */
void master_stop(Master *master);

/* Closes the connection. No other thread uses the master any more. */
void master_destroy(Master *master);

#endif
