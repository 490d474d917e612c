const std = @import("std");
const backworks = @import("backworks");

pub const panic = backworks.panic;

const Greeter = struct {
    pub const info: backworks.Info = .{
        .name = "my-plugin",
        .version = "0.1.0",
        .description = "Greets people.",
    };

    /// The plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
    pub const Config = struct {
        greeting: []const u8 = "hello",
        repeat: u8 = 1,

        pub const schema = .{
            .greeting = .{ .description = "The word before the name." },
            .repeat = .{ .description = "How many greetings.", .minimum = 1, .maximum = 5 },
        };
    };

    config: Config = .{},

    pub fn initialize(self: *Greeter, _: *backworks.Call, config: Config) !void {
        self.config = config;
    }

    /// Answers requests; null is "not for this plugin".
    pub fn processEndpoint(self: *Greeter, call: *backworks.Call, request: *const backworks.Request) !?backworks.Reply {
        const name = request.param("name") orelse return null;
        if (name.len > 64) return call.problem(400, "Bad Request", "The name has more than 64 bytes.");
        const greetings = try call.allocator().alloc([]const u8, self.config.repeat);
        for (greetings) |*greeting| {
            greeting.* = try std.fmt.allocPrint(call.allocator(), "{s} {s}", .{ self.config.greeting, name });
        }
        return call.json(.{ .greetings = greetings });
    }
};

comptime {
    backworks.exportPlugin(Greeter);
}

test "greets as often as configured" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    var greeter = try host.start(Greeter, .{ .greeting = "good day", .repeat = 2 });
    const answer = (try host.processEndpoint(&greeter, .{ .params = .{ .name = "Ada" } })).?;
    try std.testing.expectEqualStrings(
        \\{"greetings":["good day Ada","good day Ada"]}
    , answer.body.text);
}

test "does not answer requests without a name" {
    var host: backworks.testing.Host = .init(std.testing.allocator);
    defer host.deinit();
    var greeter = try host.start(Greeter, .{});
    try std.testing.expect(try host.processEndpoint(&greeter, .{ .path = "/other" }) == null);
}
