// The weather, without a network: yearly means for ten cities. For any other name, the numbers are
// derived from the name. Table and arithmetic are those of the C example; a test compares the two.
//
// SPDX-License-Identifier: MIT
#ifndef WEATHER_CLIMATE_HPP
#define WEATHER_CLIMATE_HPP

#include <string_view>

struct Climate {
    std::string_view city;  // as it is usually written; empty for a derived climate
    int temperature_tenths; // degrees Celsius times ten
    int humidity_percent;   // relative
    std::string_view conditions;
};

/// The climate of a city, ignoring the case of ASCII letters.
Climate climate_of(std::string_view city);

/// Celsius to Fahrenheit, both times ten, to the nearest tenth.
int tenths_fahrenheit(int tenths_celsius);

#endif
