const std = @import("std");

/// `zig build` makes zig-out/lib/libmy-plugin.so, `zig build --release` an optimized one. `zig build test` runs the
/// unit tests.
pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    // ReleaseSafe keeps the checks that turn mistakes into panics with a place.
    const optimize = b.standardOptimizeOption(.{ .preferred_optimize_mode = .ReleaseSafe });
    const sdk = b.createModule(.{ .root_source_file = b.path("sdk/backworks.zig") });
    const plugin = b.createModule(.{
        .root_source_file = b.path("src/plugin.zig"),
        .target = target,
        .optimize = optimize,
        .link_libc = true,
        .imports = &.{.{ .name = "backworks", .module = sdk }},
    });

    const library = b.addLibrary(.{ .name = "my-plugin", .linkage = .dynamic, .root_module = plugin });
    b.installArtifact(library);

    const unit = b.addTest(.{ .root_module = plugin });
    b.step("test", "Run the unit tests").dependOn(&b.addRunArtifact(unit).step);
}
