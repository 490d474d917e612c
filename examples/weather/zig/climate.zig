//! The weather, without a network: yearly means for ten cities. For any other name, the numbers are
//! derived from the name. Table and arithmetic are those of the C example; a test compares the two.

const std = @import("std");

pub const Climate = struct {
    /// As it is usually written, or as in the request.
    city: []const u8,
    /// Degrees Celsius times ten.
    temperature_tenths: i32,
    /// Relative.
    humidity_percent: u32,
    conditions: []const u8,
    is_known: bool = true,
};

const known = [_]Climate{
    .{ .city = "Berlin", .temperature_tenths = 103, .humidity_percent = 74, .conditions = "light cloud" },
    .{ .city = "Cairo", .temperature_tenths = 224, .humidity_percent = 56, .conditions = "clear sky" },
    .{ .city = "Lisbon", .temperature_tenths = 177, .humidity_percent = 71, .conditions = "sunny intervals" },
    .{ .city = "London", .temperature_tenths = 118, .humidity_percent = 78, .conditions = "light rain" },
    .{ .city = "Mumbai", .temperature_tenths = 272, .humidity_percent = 75, .conditions = "humid and hazy" },
    .{ .city = "Nairobi", .temperature_tenths = 188, .humidity_percent = 69, .conditions = "sunny intervals" },
    .{ .city = "Oslo", .temperature_tenths = 67, .humidity_percent = 76, .conditions = "overcast" },
    .{ .city = "Reykjavik", .temperature_tenths = 51, .humidity_percent = 79, .conditions = "strong wind" },
    .{ .city = "Sydney", .temperature_tenths = 182, .humidity_percent = 65, .conditions = "clear sky" },
    .{ .city = "Tokyo", .temperature_tenths = 158, .humidity_percent = 68, .conditions = "light cloud" },
};

const conditions = [_][]const u8{
    "clear sky", "sunny intervals", "light cloud", "overcast", "light rain", "strong wind",
};

/// The climate of a city, ignoring the case of ASCII letters.
pub fn of(city: []const u8) Climate {
    for (known) |entry| {
        if (std.ascii.eqlIgnoreCase(entry.city, city)) return entry;
    }
    const hash = hashOf(city);
    return .{
        .city = city,
        .temperature_tenths = @as(i32, @intCast(hash % 401)) - 100, // -10.0 to 30.0 degrees
        .humidity_percent = hash / 401 % 61 + 35, // 35 to 95 %
        .conditions = conditions[hash / 401 / 61 % conditions.len],
        .is_known = false,
    };
}

/// Celsius to Fahrenheit, both times ten, to the nearest tenth.
pub fn tenthsFahrenheit(tenths_celsius: i32) i32 {
    const scaled = tenths_celsius * 9;
    return @divTrunc(scaled + @as(i32, if (scaled < 0) -2 else 2), 5) + 320;
}

/// FNV-1a, 32 bits.
fn hashOf(city: []const u8) u32 {
    var hash: u32 = 2166136261;
    for (city) |byte| hash = (hash ^ std.ascii.toLower(byte)) *% 16777619;
    return hash;
}

test "Celsius becomes Fahrenheit, to the nearest tenth" {
    try std.testing.expectEqual(441, tenthsFahrenheit(67));
    try std.testing.expectEqual(320, tenthsFahrenheit(0));
    try std.testing.expectEqual(140, tenthsFahrenheit(-100));
}
