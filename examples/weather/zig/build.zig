const std = @import("std");

/// `zig build` makes zig-out/lib/libweather_zig.so, `zig build test` runs the unit tests.
pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    // ReleaseSafe keeps the checks that turn mistakes into panics with a place.
    const optimize = b.standardOptimizeOption(.{ .preferred_optimize_mode = .ReleaseSafe });
    const plugin = b.createModule(.{
        .root_source_file = b.path("weather.zig"),
        .target = target,
        .optimize = optimize,
        .link_libc = true,
        .imports = &.{.{ .name = "backworks", .module = b.dependency("backworks", .{}).module("backworks") }},
    });

    const library = b.addLibrary(.{ .name = "weather_zig", .linkage = .dynamic, .root_module = plugin });
    b.installArtifact(library);

    const unit = b.addTest(.{ .root_module = plugin });
    b.step("test", "Run the unit tests").dependOn(&b.addRunArtifact(unit).step);
}
