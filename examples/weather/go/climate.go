package main

import "strings"

// climate is the weather of a city, without a network: yearly means for ten cities. For any other name, the numbers
// are derived from the name. Table and arithmetic are those of the C example; a test compares the two.
type climate struct {
	city              string // as it is usually written, or as in the request
	temperatureTenths int    // degrees Celsius times ten
	humidityPercent   int    // relative
	conditions        string
}

var known = []climate{
	{"Berlin", 103, 74, "light cloud"},
	{"Cairo", 224, 56, "clear sky"},
	{"Lisbon", 177, 71, "sunny intervals"},
	{"London", 118, 78, "light rain"},
	{"Mumbai", 272, 75, "humid and hazy"},
	{"Nairobi", 188, 69, "sunny intervals"},
	{"Oslo", 67, 76, "overcast"},
	{"Reykjavik", 51, 79, "strong wind"},
	{"Sydney", 182, 65, "clear sky"},
	{"Tokyo", 158, 68, "light cloud"},
}

var conditions = []string{"clear sky", "sunny intervals", "light cloud", "overcast", "light rain", "strong wind"}

// climateOf returns the climate of a city, ignoring the case of ASCII letters, and whether the city is in the table.
func climateOf(city string) (climate, bool) {
	name := lower(city)
	for _, entry := range known {
		if strings.ToLower(entry.city) == name {
			return entry, true
		}
	}
	hash := hashOf(name)
	return climate{
		city:              city,
		temperatureTenths: int(hash%401) - 100,   // -10.0 to 30.0 degrees
		humidityPercent:   int(hash/401%61) + 35, // 35 to 95 %
		conditions:        conditions[hash/401/61%uint32(len(conditions))],
	}, false
}

// tenthsFahrenheit converts Celsius, both times ten, to the nearest tenth.
func tenthsFahrenheit(tenthsCelsius int) int {
	scaled := tenthsCelsius * 9
	if scaled < 0 {
		return (scaled-2)/5 + 320
	}
	return (scaled+2)/5 + 320
}

// lower changes ASCII letters only, as the other languages do.
func lower(text string) string {
	return strings.Map(func(letter rune) rune {
		if letter >= 'A' && letter <= 'Z' {
			return letter - 'A' + 'a'
		}
		return letter
	}, text)
}

// hashOf is FNV-1a, 32 bits.
func hashOf(name string) uint32 {
	hash := uint32(2166136261)
	for _, letter := range []byte(name) {
		hash = (hash ^ uint32(letter)) * 16777619
	}
	return hash
}
