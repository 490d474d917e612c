/* SPDX-License-Identifier: MIT */
#include "climate.h"

#include <stddef.h>
#include <stdint.h>

static const Climate KNOWN[] = {
    {"Berlin", 103, 74, "light cloud"},     {"Cairo", 224, 56, "clear sky"},
    {"Lisbon", 177, 71, "sunny intervals"}, {"London", 118, 78, "light rain"},
    {"Mumbai", 272, 75, "humid and hazy"},  {"Nairobi", 188, 69, "sunny intervals"},
    {"Oslo", 67, 76, "overcast"},           {"Reykjavik", 51, 79, "strong wind"},
    {"Sydney", 182, 65, "clear sky"},       {"Tokyo", 158, 68, "light cloud"},
};

static const char *const CONDITIONS[] = {
    "clear sky", "sunny intervals", "light cloud", "overcast", "light rain", "strong wind",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static unsigned char lower(char byte) {
    return (unsigned char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

static bool same_city(const char *a, const char *b) {
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const char *city) {
    uint32_t hash = UINT32_C(2166136261);
    for (; *city != '\0'; city++) {
        hash = (hash ^ lower(*city)) * UINT32_C(16777619);
    }
    return hash;
}

Climate climate_of(const char *city) {
    for (size_t i = 0; i < COUNT(KNOWN); i++) {
        if (same_city(city, KNOWN[i].city)) {
            return KNOWN[i];
        }
    }
    uint32_t hash = hash_of(city);
    return (Climate){
        .city = NULL,
        .temperature_tenths = (int)(hash % 401) - 100,   /* -10.0 to 30.0 degrees */
        .humidity_percent = (int)(hash / 401 % 61) + 35, /* 35 to 95 % */
        .conditions = CONDITIONS[hash / 401 / 61 % COUNT(CONDITIONS)],
    };
}

int tenths_fahrenheit(int tenths_celsius) {
    int scaled = tenths_celsius * 9;
    return (scaled + (scaled < 0 ? -2 : 2)) / 5 + 320;
}
