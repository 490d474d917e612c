//! See ../raw.c.

const backworks = @import("backworks");

pub const panic = backworks.panic;

const Bench = struct {
    pub const info: backworks.Info = .{
        .name = "bench",
        .version = "1.0.0",
        .description = "Answers at once.",
    };

    pub fn processEndpoint(_: *Bench, call: *backworks.Call, request: *const backworks.Request) !?backworks.Reply {
        const city = request.param("city") orelse return null;
        return call.json(.{ .city = city, .celsius = 21.5, .sky = "fair" });
    }
};

comptime {
    backworks.exportPlugin(Bench);
}
