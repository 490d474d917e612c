#include "readings.h"

#include <stdlib.h>
#include <string.h>

bool readings_init(Readings *readings, size_t count) {
    readings->list = (Reading *)calloc(count, sizeof(Reading));
    if (readings->list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        readings->list[i].outcome = outcome(OUTCOME_NOT_CONNECTED, "it has not been read yet");
    }
    (void)pthread_mutex_init(&readings->mutex, NULL);
    return true;
}

void readings_record(Readings *readings, size_t index, const Outcome *outcome, const uint8_t *data,
                     int64_t now_ms) {
    (void)pthread_mutex_lock(&readings->mutex);
    Reading *reading = &readings->list[index];
    reading->outcome = *outcome;
    if (outcome->kind == OUTCOME_ANSWERED) {
        reading->known = true;
        reading->read_at_ms = now_ms;
        memcpy(reading->data, data, sizeof reading->data);
    }
    (void)pthread_mutex_unlock(&readings->mutex);
}

Reading readings_get(Readings *readings, size_t index) {
    (void)pthread_mutex_lock(&readings->mutex);
    Reading copy = readings->list[index];
    (void)pthread_mutex_unlock(&readings->mutex);
    return copy;
}

void readings_destroy(Readings *readings) {
    free(readings->list);
    readings->list = NULL;
    (void)pthread_mutex_destroy(&readings->mutex);
}
