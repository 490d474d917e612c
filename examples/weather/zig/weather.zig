//! The weather plugin in Zig: answers GET /zig/weather and GET /zig/weather/{city}.
//!
//! - `beforeRequest` checks ?units=; answers 400 itself, or stores the units in the context
//! - `processEndpoint` answers in the units that the context names
//! - `afterResponse` names the source of the answer in a header

const std = @import("std");
const backworks = @import("backworks");
const climate = @import("climate.zig");

pub const panic = backworks.panic;

const Units = enum { metric, imperial };

/// What `beforeRequest` leaves in the context for the other hooks.
const Left = struct { @"weather-zig": ?struct { units: Units } = null };

const Weather = struct {
    pub const info: backworks.Info = .{
        .name = "weather-zig",
        .version = "1.0.0",
        .description = "Yearly mean weather of cities, in Zig.",
        .author = "The Backworks maintainers",
        .license = "MIT",
    };

    pub const Config = struct {
        api_key: []const u8 = "none",
        default_city: []const u8 = "Lisbon",

        pub const schema = .{
            .api_key = .{ .description = "Not used: the example has no network.", .minLength = 1 },
            .default_city = .{ .description = "The city of a request that names none.", .minLength = 1 },
        };
    };

    config: Config = .{},

    pub fn initialize(self: *Weather, call: *backworks.Call, config: Config) !void {
        if (!isName(config.api_key)) return call.fail("api_key is not a text of 1 to 127 bytes", .{});
        if (!isName(config.default_city)) return call.fail("default_city is not a text of 1 to 127 bytes", .{});
        self.config = config;
        backworks.host.log(.info, "ready, default city {s}", .{config.default_city});
    }

    pub fn healthCheck(self: *Weather) backworks.Health {
        if (climate.of(self.config.default_city).is_known) return .healthy;
        return .{ .degraded = "default_city is not in the table; its weather is derived from its name" };
    }

    pub fn beforeRequest(_: *Weather, call: *backworks.Call, request: *const backworks.Request) !?backworks.RequestAction {
        if (!isOurs(request)) return null;
        const units = unitsOf(request.query.all("units")) orelse
            return .{ .respond = call.problem(400, "Bad Request", "units is metric or imperial") };
        return .{ .change = call.patch().context(info.name, .{ .units = units }) };
    }

    pub fn processEndpoint(self: *Weather, call: *backworks.Call, request: *const backworks.Request) !?backworks.Reply {
        const reads = std.mem.eql(u8, request.method, "GET") or std.mem.eql(u8, request.method, "HEAD");
        if (!isOurs(request) or !reads) return null;
        const city = request.param("city") orelse self.config.default_city;
        if (!isName(city)) return call.problem(400, "Bad Request", "a city's name has 1 to 127 bytes");
        const left = (try request.left(call, Left)).@"weather-zig";
        return call.json(report(city, if (left) |noted| noted.units else .metric));
    }

    pub fn afterResponse(_: *Weather, call: *backworks.Call, response: *const backworks.Response) !?backworks.Patch {
        if ((try response.left(call, Left)).@"weather-zig" == null) return null;
        return call.patch().header("x-weather-source", info.name ++ "/" ++ info.version);
    }
};

const Report = struct {
    basis: []const u8,
    city: []const u8,
    conditions: []const u8,
    humidity: u32,
    temperature: f64,
    units: Units,
};

fn report(city: []const u8, units: Units) Report {
    const found = climate.of(city);
    const tenths = switch (units) {
        .metric => found.temperature_tenths,
        .imperial => climate.tenthsFahrenheit(found.temperature_tenths),
    };
    return .{
        .basis = if (found.is_known) "yearly mean" else "derived from the name",
        .city = found.city,
        .conditions = found.conditions,
        .humidity = found.humidity_percent,
        .temperature = @as(f64, @floatFromInt(tenths)) / 10,
        .units = units,
    };
}

/// Null for units that do not exist, and for several.
fn unitsOf(wanted: []const []const u8) ?Units {
    if (wanted.len == 0) return .metric;
    return if (wanted.len == 1) std.meta.stringToEnum(Units, wanted[0]) else null;
}

fn isOurs(request: *const backworks.Request) bool {
    const route = request.route orelse return false;
    return std.mem.eql(u8, route, "/zig/weather") or std.mem.eql(u8, route, "/zig/weather/{city}");
}

fn isName(text: []const u8) bool {
    return text.len >= 1 and text.len <= 127 and std.mem.indexOfScalar(u8, text, 0) == null;
}

comptime {
    backworks.exportPlugin(Weather);
}

test {
    _ = climate;
}
