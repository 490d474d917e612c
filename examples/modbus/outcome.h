/* How a request to the device ended. */
#ifndef MODBUS_OUTCOME_H
#define MODBUS_OUTCOME_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum OutcomeKind {
    OUTCOME_ANSWERED,
    OUTCOME_EXCEPTION,     /* the device refused the request */
    OUTCOME_REFUSED_REPLY, /* the reply was not one to the request */
    OUTCOME_NOT_CONNECTED, /* also when the device closed the connection instead of replying */
    OUTCOME_NO_REPLY,      /* not in time */
} OutcomeKind;

typedef struct Outcome {
    OutcomeKind kind;
    uint8_t exception; /* of OUTCOME_EXCEPTION */
    bool sent;         /* the device may have got the request */
    char reason[160];  /* a sentence; empty for OUTCOME_ANSWERED */
} Outcome;

__attribute__((format(printf, 2, 3))) static inline Outcome outcome(OutcomeKind kind,
                                                                    const char *format, ...) {
    Outcome made = {.kind = kind};
    va_list values;
    va_start(values, format);
    (void)vsnprintf(made.reason, sizeof made.reason, format, values);
    va_end(values);
    return made;
}

#endif
