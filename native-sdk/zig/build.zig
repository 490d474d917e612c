const std = @import("std");

/// The module `backworks`. The author's own build makes the library.
pub fn build(b: *std.Build) void {
    _ = b.addModule("backworks", .{ .root_source_file = b.path("backworks.zig") });
}
