/*
 * The weather, without a network: yearly means for ten cities. For any other name, the numbers are
 * derived from the name, so the same request always has the same answer.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEATHER_CLIMATE_H
#define WEATHER_CLIMATE_H

#include <stdbool.h>

typedef struct Climate {
    const char *city;       /* the name as it is usually written; NULL for a derived climate */
    int temperature_tenths; /* degrees Celsius times ten */
    int humidity_percent;   /* relative */
    const char *conditions; /* a few words */
} Climate;

/* The climate of a city, ignoring the case of ASCII letters. */
Climate climate_of(const char *city);

/* Celsius to Fahrenheit, both times ten, to the nearest tenth. */
int tenths_fahrenheit(int tenths_celsius);

#endif
