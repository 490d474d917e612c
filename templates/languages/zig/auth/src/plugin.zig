const std = @import("std");
const backworks = @import("backworks");

pub const panic = backworks.panic;

const KeyCheck = struct {
    /// While a critical plugin does not work, requests are refused instead of passing unchecked.
    pub const info: backworks.Info = .{
        .name = "my-plugin",
        .version = "0.1.0",
        .description = "Checks API keys.",
        .critical = true,
    };

    /// The plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
    pub const Config = struct {
        keys: []const []const u8,
        header: []const u8 = "x-api-key",

        pub const schema = .{
            .keys = .{ .description = "The keys that are accepted." },
            .header = .{ .description = "The header that has the key, in lower case." },
        };
    };

    config: Config = .{ .keys = &.{} },

    pub fn initialize(self: *KeyCheck, _: *backworks.Call, config: Config) !void {
        self.config = config;
    }

    /// Sees every request before its endpoint does.
    pub fn beforeRequest(self: *KeyCheck, call: *backworks.Call, request: *const backworks.Request) !?backworks.RequestAction {
        const given = request.header(self.config.header) orelse "";
        var is_known = false;
        for (self.config.keys) |key| is_known = isSame(given, key) or is_known;
        if (!is_known) return .{ .respond = call
            .problem(401, "Unauthorized", "The request has no valid API key.")
            .header("www-authenticate", "ApiKey") };
        return .{ .change = call.patch().removeHeader(self.config.header).context("authenticated", true) };
    }
};

/// Takes the same time wherever the texts differ, so that the time does not give the key away.
fn isSame(given: []const u8, key: []const u8) bool {
    if (key.len == 0) return false;
    var difference: u8 = 0;
    for (given, 0..) |byte, at| difference |= byte ^ key[at % key.len];
    return difference == 0 and given.len == key.len;
}

comptime {
    backworks.exportPlugin(KeyCheck);
}

test "a key that is known is removed" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    var plugin = try host.start(KeyCheck, .{ .keys = .{ "first", "second" } });
    const outcome = try host.beforeRequest(&plugin, .{ .headers = .{ .@"x-api-key" = "second" } });
    try std.testing.expectEqualStrings(
        \\{"headers":{"x-api-key":null},"context":{"authenticated":true}}
    , outcome.changed);
}

test "other keys are refused" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    var plugin = try host.start(KeyCheck, .{ .keys = .{ "first", "second" } });
    const without = try host.beforeRequest(&plugin, .{});
    try std.testing.expectEqual(401, without.answered.status);
    const wrong = try host.beforeRequest(&plugin, .{ .headers = .{ .@"x-api-key" = "sec" } });
    try std.testing.expectEqual(401, wrong.answered.status);
}
