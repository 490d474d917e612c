/* The plugin's configuration, as config_manifest.h describes it. */
#ifndef MODBUS_SETTINGS_H
#define MODBUS_SETTINGS_H

#include <backworks_sdk.h>

#include "master.h"
#include "point.h"

typedef struct Settings {
    MasterSettings master;
    uint32_t poll_interval_ms; /* 0 for no polling */
    Point *points;
    size_t count;
} Settings;

/* Reads the configuration of initialize(). False after backworks_fail(). settings_free() follows either way. */
bool settings_read(BackworksCall *call, Settings *settings);

void settings_free(Settings *settings);

#endif
