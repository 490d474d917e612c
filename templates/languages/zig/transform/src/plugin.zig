const std = @import("std");
const backworks = @import("backworks");

pub const panic = backworks.panic;

const Transformer = struct {
    /// Critical: a response that the plugin cannot change is not sent.
    pub const info: backworks.Info = .{
        .name = "my-plugin",
        .version = "0.1.0",
        .description = "Changes responses.",
        .critical = true,
    };

    /// The plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
    pub const Config = struct {
        remove: []const []const u8 = &.{},
        served_by: []const u8 = "backworks",

        pub const schema = .{
            .remove = .{ .description = "Members of JSON objects that are removed." },
            .served_by = .{ .description = "The value of the header x-served-by." },
        };
    };

    config: Config = .{},

    pub fn initialize(self: *Transformer, _: *backworks.Call, config: Config) !void {
        self.config = config;
    }

    /// A change is a merge patch: null removes a member, and what the patch does not name stays.
    pub fn afterResponse(self: *Transformer, call: *backworks.Call, response: *const backworks.Response) !?backworks.Patch {
        const patch = call.patch().header("x-served-by", self.config.served_by);
        if (response.body_encoding != .json) return patch;
        const body = try response.content().json(call, std.json.Value);
        if (body != .object) return patch;
        var change: std.json.ArrayHashMap(?u8) = .{};
        for (self.config.remove) |name| {
            if (body.object.contains(name)) try change.map.put(call.allocator(), name, null);
        }
        return if (change.map.count() == 0) patch else patch.json(change);
    }
};

comptime {
    backworks.exportPlugin(Transformer);
}

fn changeOf(host: *backworks.testing.Host, body: anytype) ![]const u8 {
    var plugin = try host.start(Transformer, .{ .remove = .{ "salary", "notes" }, .served_by = "a" });
    return (try host.afterResponse(&plugin, .{ .body = body })).changed;
}

test "the members that are there are removed" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    try std.testing.expectEqualStrings(
        \\{"body_encoding":"json","body":{"salary":null},"headers":{"x-served-by":"a"}}
    , try changeOf(&host, .{ .id = 1.5, .salary = 1 }));
}

test "other bodies stay as they are" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    const header =
        \\{"headers":{"x-served-by":"a"}}
    ;
    try std.testing.expectEqualStrings(header, try changeOf(&host, .{ .id = 1 }));
    try std.testing.expectEqualStrings(header, try changeOf(&host, .{"salary"}));
    try std.testing.expectEqualStrings(header, try changeOf(&host, "salary"));
}
