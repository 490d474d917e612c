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

fn changeOf(call: *backworks.Call, comptime body: []const u8) !backworks.Patch {
    const document = "{\"status\":200,\"request\":{\"id\":\"test\",\"method\":\"GET\",\"path\":\"/employees/7\"}," ++
        "\"body_encoding\":\"json\",\"body\":" ++ body ++ "}";
    const response = try std.json.parseFromSliceLeaky(backworks.Response, call.allocator(), document, .{});
    var plugin: Transformer = .{ .config = .{ .remove = &.{ "salary", "notes" }, .served_by = "a" } };
    return (try plugin.afterResponse(call, &response)).?;
}

test "the members that are there are removed" {
    var call: backworks.Call = .{ .arena = .init(std.testing.allocator) };
    defer call.arena.deinit();
    const patch = try changeOf(&call, "{\"id\":1.50,\"salary\":1}");
    try std.testing.expectEqualStrings("x-served-by", patch.headers.list[0].name);
    try std.testing.expectEqualStrings("body", patch.members.list[1].name);
    try std.testing.expectEqualStrings("{\"salary\":null}", patch.members.list[1].json);
}

test "other bodies stay as they are" {
    var call: backworks.Call = .{ .arena = .init(std.testing.allocator) };
    defer call.arena.deinit();
    try std.testing.expectEqual(0, (try changeOf(&call, "{\"id\":1}")).members.list.len);
    try std.testing.expectEqual(0, (try changeOf(&call, "[\"salary\"]")).members.list.len);
}
