//! SDK for plugins of the Backworks server. A plugin is a struct with a declaration `info` and the hooks
//! it needs; `exportPlugin` puts exactly those into the tables of the C ABI.
//!
//! A hook gets a `Call`, whose allocator lasts until the hook returns. An error makes the call fail, and
//! the operator reads its name, or the text given to `Call.fail`. A panic ends the plugin's process.

const std = @import("std");
const Allocator = std.mem.Allocator;
const Arena = std.heap.ArenaAllocator;
const Stringify = std.json.Stringify;
const gpa = std.heap.c_allocator;

/// Declare `pub const panic = backworks.panic;` in the root file. It writes the message, the place in the
/// library and the stack to stderr, which the server logs, and aborts: Zig cannot unwind.
pub const panic = std.debug.FullPanic(panicked);

fn panicked(message: []const u8, first_address: ?usize) noreturn {
    const address = first_address orelse @returnAddress();
    var place: DlInfo = undefined;
    // The stack has file and line only where the sandbox lets the process map files shared.
    if (dladdr(@ptrFromInt(address), &place) != 0)
        std.debug.print("panic at 0x{x}: {s}\n", .{ address - 1 - @intFromPtr(place.base), message });
    std.debug.defaultPanic(message, address);
}

const DlInfo = extern struct { file: ?[*:0]const u8, base: *const anyopaque, symbol: ?[*:0]const u8, start: ?*const anyopaque };
extern "c" fn dladdr(address: *const anyopaque, info: *DlInfo) c_int;

// ---------------------------------------------------------------------------------------------------
// What a plugin says about itself

/// Describes a plugin. Only the first three members are required.
pub const Info = struct {
    /// Lower-case words joined by '-', at most 64 bytes.
    name: [:0]const u8,
    /// A semantic version.
    version: [:0]const u8,
    /// One sentence for people.
    description: [:0]const u8,
    /// Requests that the plugin should see are refused while it fails. A plugin that denies requests must
    /// be critical, because requests pass by an optional plugin that fails.
    critical: bool = false,
    /// The hooks may run on several threads at once, when the operator asks for that.
    thread_safe: bool = false,
    /// The longest a call may take, unless the operator says otherwise.
    max_execution_time_ms: ?u32 = null,
    /// Plugins of lower priority run first. The server's default is 100.
    priority: ?i32 = null,
    /// Plugins, or operations of plugins, that the plugin calls.
    dependencies: []const Dependency = &.{},
    author: ?[]const u8 = null,
    /// An SPDX licence expression.
    license: ?[]const u8 = null,
    /// A semver range of the host versions the plugin works with.
    backworks: ?[]const u8 = null,
};

/// A plugin that is needed by name, or any plugin that provides an operation.
pub const Dependency = struct {
    name: ?[]const u8 = null,
    capability: ?[]const u8 = null,
    /// A semver range.
    version: ?[]const u8 = null,
    optional: bool = false,
};

/// What `healthCheck` returns. The texts are one sentence for the operator.
pub const Health = union(enum) { healthy, degraded: []const u8, unhealthy: []const u8 };

// ---------------------------------------------------------------------------------------------------
// Documents

/// JSON text of a member, exactly as it stands in the document.
pub const Raw = struct {
    text: []const u8 = "null",

    pub fn jsonParse(_: Allocator, source: anytype, _: std.json.ParseOptions) !Raw {
        _ = try source.peekNextTokenType(); // skips white space
        const start = source.cursor;
        try source.skipValue();
        return .{ .text = source.input[start..source.cursor] };
    }
};

/// Names and their values. Of headers only set-cookie has several values. A value is read when it is asked for.
pub const Values = struct {
    /// JSON text of the object, exactly as it stands in the document.
    raw: []const u8 = "{}",
    allocator: Allocator = gpa,

    /// The first value of a name.
    pub fn get(self: Values, name: []const u8) ?[]const u8 {
        const value = self.find(name) orelse return null;
        if (value[0] == '"') return self.text(value);
        const values = self.list(value);
        return if (values.len == 0) null else values[0];
    }

    /// Every value of a name.
    pub fn all(self: Values, name: []const u8) []const []const u8 {
        const value = self.find(name) orelse return &.{};
        return self.list(value);
    }

    /// The names and their values, in order.
    pub fn iterator(self: Values) Iterator {
        return .{ .values = self, .members = .{ .text = self.raw } };
    }

    pub const Iterator = struct {
        pub const Entry = struct { name: []const u8, values: []const []const u8 };

        values: Values,
        members: ObjectMembers,

        pub fn next(self: *Iterator) ?Entry {
            const member = (self.members.next() catch null) orelse return null;
            return .{ .name = self.values.text(member.name) orelse "", .values = self.values.list(member.value) };
        }
    };

    /// JSON text of the last value with this name.
    fn find(self: Values, name: []const u8) ?[]const u8 {
        var members: ObjectMembers = .{ .text = self.raw };
        var found: ?[]const u8 = null;
        while (members.next() catch null) |member| {
            const read = self.text(member.name) orelse continue;
            if (std.mem.eql(u8, read, name)) found = member.value;
        }
        return found;
    }

    fn text(self: Values, json: []const u8) ?[]const u8 {
        return plainText(json) orelse parse([]const u8, self.allocator, json, true) catch null;
    }

    fn list(self: Values, json: []const u8) []const []const u8 {
        if (json[0] == '[') return parse([]const []const u8, self.allocator, json, true) catch &.{};
        const one = self.allocator.alloc([]const u8, 1) catch @panic("out of memory");
        one[0] = self.text(json) orelse return &.{};
        return one;
    }

    pub fn jsonParse(allocator: Allocator, source: anytype, options: std.json.ParseOptions) !Values {
        if (try source.peekNextTokenType() != .object_begin) return error.UnexpectedToken;
        const member = try Raw.jsonParse(allocator, source, options);
        return .{ .raw = member.text, .allocator = allocator };
    }

    pub fn jsonStringify(self: Values, writer: anytype) !void {
        try writer.print("{s}", .{self.raw});
    }
};

/// How a document writes a body: as JSON, as a string, or as a string in base64.
pub const BodyEncoding = enum { json, text, base64 };

/// The body of a request or a response. It is decoded when a function asks for it.
pub const Body = struct {
    /// JSON text of the member `body`, exactly as it was sent when the encoding is json.
    raw: []const u8,
    encoding: BodyEncoding,
    /// The server passes the body on as it comes, so that no plugin sees it.
    streamed: bool,

    pub fn isEmpty(self: Body) bool {
        return self.encoding == .text and std.mem.eql(u8, self.raw, "null");
    }

    /// The body as a value. Names that T does not have are ignored.
    pub fn json(self: Body, call: *Call, comptime T: type) !T {
        if (self.encoding != .json) return error.BodyIsNotJson;
        return parse(T, call.allocator(), self.raw, true);
    }

    /// The bytes of the body.
    pub fn bytes(self: Body, call: *Call) ![]const u8 {
        if (self.encoding == .json) return self.raw;
        const text = try parse(?[]const u8, call.allocator(), self.raw, true) orelse return "";
        if (self.encoding == .text) return text;
        const decoder = std.base64.standard.Decoder;
        const decoded = try call.allocator().alloc(u8, try decoder.calcSizeForSlice(text));
        try decoder.decode(decoded, text);
        return decoded;
    }
};

/// The client of a request.
pub const Remote = struct { address: []const u8, port: u16 };

/// A request, as beforeRequest and processEndpoint see it. It lasts until the hook returns.
pub const Request = struct {
    id: []const u8,
    /// In upper case.
    method: []const u8,
    /// As sent: percent-encoded, without the query.
    path: []const u8,
    /// Path of the endpoint that matched, such as "/weather/{city}".
    route: ?[]const u8 = null,
    /// Values of the placeholders in the route, decoded.
    params: Values = .{},
    query: Values = .{},
    /// Names are in lower case.
    headers: Values = .{},
    /// The client, when the request came over a socket.
    remote: ?Remote = null,
    /// What hooks that ran earlier left for later ones; see `left`.
    context: Raw = .{ .text = "{}" },
    body_streamed: bool = false,
    body_encoding: BodyEncoding = .text,
    body: Raw = .{},

    pub fn param(self: *const Request, name: []const u8) ?[]const u8 {
        return self.params.get(name);
    }

    /// The first value of a header; `name` is in lower case.
    pub fn header(self: *const Request, name: []const u8) ?[]const u8 {
        return self.headers.get(name);
    }

    pub fn content(self: *const Request) Body {
        return .{ .raw = self.body.text, .encoding = self.body_encoding, .streamed = self.body_streamed };
    }

    /// The context as a value whose members are optional. Names that T does not have are ignored.
    pub fn left(self: *const Request, call: *Call, comptime T: type) !T {
        return parse(T, call.allocator(), self.context.text, true);
    }
};

/// A response, as afterResponse sees it. It lasts until the hook returns.
pub const Response = struct {
    status: u16,
    /// Names are in lower case.
    headers: Values = .{},
    context: Raw = .{ .text = "{}" },
    /// The request that is answered.
    request: struct { id: []const u8, method: []const u8, path: []const u8, route: ?[]const u8 = null },
    body_streamed: bool = false,
    body_encoding: BodyEncoding = .text,
    body: Raw = .{},

    /// The first value of a header; `name` is in lower case.
    pub fn header(self: *const Response, name: []const u8) ?[]const u8 {
        return self.headers.get(name);
    }

    pub fn content(self: *const Response) Body {
        return .{ .raw = self.body.text, .encoding = self.body_encoding, .streamed = self.body_streamed };
    }

    /// The context as a value whose members are optional. Names that T does not have are ignored.
    pub fn left(self: *const Response, call: *Call, comptime T: type) !T {
        return parse(T, call.allocator(), self.context.text, true);
    }
};

// ---------------------------------------------------------------------------------------------------
// HTTP requests by the server

/// A header of a request; a name may occur several times.
pub const HttpHeader = struct { name: []const u8, value: []const u8 };

/// The body of a request.
pub const HttpBody = union(enum) {
    empty,
    /// JSON text; `HttpBody.of` makes it of a value. The server adds content-type: application/json when the
    /// request has no content type.
    json: []const u8,
    /// Text, as UTF-8.
    text: []const u8,
    /// Any bytes.
    bytes: []const u8,

    /// A value as JSON.
    pub fn of(call: *Call, value: anytype) HttpBody {
        return .{ .json = call.encode(value) };
    }
};

/// A request for `host.fetch`.
pub const HttpRequest = struct {
    method: []const u8 = "GET",
    /// Absolute. Its origin is one that permissions.network.fetch grants.
    url: []const u8,
    headers: []const HttpHeader = &.{},
    /// GET and HEAD have none.
    body: HttpBody = .empty,
    /// The request ends before the deadline of the call in any case.
    timeout_ms: ?u32 = null,

    fn document(self: HttpRequest, call: *Call) []const u8 {
        var members: Members = .{};
        members.set(call, "method", self.method);
        members.set(call, "url", self.url);
        var headers: Members = .{};
        for (self.headers) |header| {
            var values: []const []const u8 = &.{};
            for (self.headers) |other| {
                if (std.mem.eql(u8, other.name, header.name)) values = call.extended([]const u8, values, other.value);
            }
            headers.set(call, header.name, values);
        }
        members.set(call, "headers", headers);
        switch (self.body) {
            .empty => {},
            .json => |json| {
                members.set(call, "body_encoding", BodyEncoding.json);
                members.list = call.extended(Members.Member, members.list, .{ .name = "body", .json = json });
            },
            .text => |text| {
                members.set(call, "body_encoding", BodyEncoding.text);
                members.set(call, "body", text);
            },
            .bytes => |bytes| {
                members.set(call, "body_encoding", BodyEncoding.base64);
                members.set(call, "body", call.base64(bytes));
            },
        }
        if (self.timeout_ms) |timeout| members.set(call, "timeout_ms", timeout);
        return call.encode(members);
    }
};

/// What a server answered. It lasts until the hook returns.
pub const HttpResponse = struct {
    status: u16,
    /// Names are in lower case.
    headers: Values = .{},
    /// The bytes of the body, unpacked when they were compressed; at most 4 MiB.
    body: []const u8 = "",

    /// The first value of a header; `name` is in lower case.
    pub fn header(self: *const HttpResponse, name: []const u8) ?[]const u8 {
        return self.headers.get(name);
    }

    /// The body as a value. Names that T does not have are ignored.
    pub fn json(self: *const HttpResponse, call: *Call, comptime T: type) !T {
        return parse(T, call.allocator(), self.body, true);
    }
};

/// A response with any status; or one sentence that says why there is none: the request is wrong, its origin is not
/// granted, or the target did not answer in time.
pub const HttpResult = union(enum) { response: HttpResponse, failed: []const u8 };

// ---------------------------------------------------------------------------------------------------
// Reading JSON

fn parse(comptime T: type, allocator: Allocator, text: []const u8, ignores_unknown: bool) !T {
    return std.json.parseFromSliceLeaky(T, allocator, text, .{
        .ignore_unknown_fields = ignores_unknown,
        .duplicate_field_behavior = .use_last,
    });
}

/// The members of an object, found without reading their values. Values are delimited and not checked.
const ObjectMembers = struct {
    /// `name` and `value` are JSON texts.
    const Member = struct { name: []const u8, value: []const u8 };

    text: []const u8,
    at: usize = 0,
    is_first: bool = true,

    fn next(self: *ObjectMembers) error{SyntaxError}!?Member {
        if (!try self.begin()) return null;
        if (self.byte() != '"') return error.SyntaxError;
        const name = try self.value();
        try self.expect(':');
        return .{ .name = name, .value = try self.value() };
    }

    /// The value of the next member, if that has this name and no white space around it. Otherwise the next call finds the
    /// member.
    fn nextNamed(self: *ObjectMembers, comptime name: []const u8) error{SyntaxError}!?[]const u8 {
        const before = self.*;
        const start = "\"" ++ name ++ "\":";
        if (try self.begin() and std.mem.startsWith(u8, self.text[self.at..], start)) {
            self.at += start.len;
            return try self.value();
        }
        self.* = before;
        return null;
    }

    /// Passes what comes before a member. False when there is none.
    fn begin(self: *ObjectMembers) error{SyntaxError}!bool {
        if (self.is_first) try self.expect('{');
        if (self.byte() == '}') return false;
        if (!self.is_first) try self.expect(',');
        self.is_first = false;
        return true;
    }

    fn value(self: *ObjectMembers) error{SyntaxError}![]const u8 {
        const first = self.byte();
        const start = self.at;
        self.at = switch (first) {
            '"' => try self.endOfString(start),
            '{', '[' => try self.endOfNested(start),
            else => self.endOfWord(start),
        };
        if (self.at == start) return error.SyntaxError;
        return self.text[start..self.at];
    }

    fn endOfString(self: *const ObjectMembers, start: usize) error{SyntaxError}!usize {
        var at = start + 1;
        while (at < self.text.len) : (at += 1) {
            at += ordinary(self.text[at..]);
            if (at >= self.text.len) break;
            if (self.text[at] == '"') return at + 1;
            if (self.text[at] == '\\') at += 1;
        }
        return error.SyntaxError;
    }

    /// How many bytes come before the first quote or backslash, as far as eight bytes at once can tell.
    fn ordinary(text: []const u8) usize {
        const low: u64 = 0x0101010101010101;
        var at: usize = 0;
        while (at + 8 <= text.len) : (at += 8) {
            const word = std.mem.readInt(u64, text[at..][0..8], .little);
            const quote = word ^ (low * '"');
            const escape = word ^ (low * '\\');
            // The lowest bit that is set belongs to the first byte that is equal.
            const found = ((quote -% low) & ~quote | (escape -% low) & ~escape) & (low << 7);
            if (found != 0) return at + @ctz(found) / 8;
        }
        return at;
    }

    fn endOfNested(self: *const ObjectMembers, start: usize) error{SyntaxError}!usize {
        var depth: usize = 0;
        var at = start;
        while (at < self.text.len) {
            switch (self.text[at]) {
                '"' => at = try self.endOfString(at),
                '{', '[' => {
                    depth += 1;
                    at += 1;
                },
                '}', ']' => {
                    depth -= 1;
                    at += 1;
                    if (depth == 0) return at;
                },
                else => at += 1,
            }
        }
        return error.SyntaxError;
    }

    /// A number, true, false or null.
    fn endOfWord(self: *const ObjectMembers, start: usize) usize {
        var at = start;
        while (at < self.text.len) : (at += 1) switch (self.text[at]) {
            '0'...'9', 'a'...'z', 'A'...'Z', '+', '-', '.' => {},
            else => break,
        };
        return at;
    }

    fn expect(self: *ObjectMembers, wanted: u8) error{SyntaxError}!void {
        if (self.byte() != wanted) return error.SyntaxError;
        self.at += 1;
    }

    /// The next byte that is no white space; 0 at the end.
    fn byte(self: *ObjectMembers) u8 {
        while (self.at < self.text.len) : (self.at += 1) switch (self.text[self.at]) {
            ' ', '\n', '\r', '\t' => {},
            else => |found| return found,
        };
        return 0;
    }
};

/// A text whose JSON has no escapes, as most have; otherwise null.
fn plainText(json: []const u8) ?[]const u8 {
    if (json.len < 2 or json[0] != '"') return null;
    const text = json[1 .. json.len - 1];
    for (text) |byte| if (byte == '\\') return null;
    return text;
}

/// Reads a document of the server. Members with texts and numbers are read now, others when they are asked for.
fn readDocument(comptime T: type, allocator: Allocator, json: []const u8) !T {
    const fields = @typeInfo(T).@"struct";
    var read: T = undefined;
    var seen: [fields.field_names.len]bool = @splat(false);
    inline for (fields.field_names, fields.field_types, fields.field_attrs, 0..) |name, Field, attributes, at| {
        if (comptime attributes.defaultValue(Field)) |default| {
            @field(read, name) = default;
            seen[at] = true;
        }
    }
    var members: ObjectMembers = .{ .text = json };
    // The server writes the members in the order of the fields.
    inline for (fields.field_names, fields.field_types, 0..) |name, Field, at| {
        if (try members.nextNamed(name)) |value| {
            @field(read, name) = try readMember(Field, allocator, value);
            seen[at] = true;
        }
    }
    while (try members.next()) |member| {
        const given = plainText(member.name) orelse continue;
        inline for (fields.field_names, fields.field_types, 0..) |name, Field, at| {
            if (std.mem.eql(u8, given, name)) {
                @field(read, name) = try readMember(Field, allocator, member.value);
                seen[at] = true;
            }
        }
    }
    for (seen) |was_given| if (!was_given) return error.MissingField;
    return read;
}

fn readMember(comptime T: type, allocator: Allocator, json: []const u8) !T {
    switch (T) {
        Raw => return .{ .text = json },
        Values => return if (json[0] == '{') .{ .raw = json, .allocator = allocator } else error.UnexpectedToken,
        BodyEncoding => return std.meta.stringToEnum(BodyEncoding, plainText(json) orelse "") orelse error.InvalidEnumTag,
        []const u8 => return plainText(json) orelse parse(T, allocator, json, true),
        else => {},
    }
    return switch (@typeInfo(T)) {
        .optional => |optional| if (json[0] == 'n') null else try readMember(optional.child, allocator, json),
        .@"struct" => try readDocument(T, allocator, json),
        .int => std.fmt.parseInt(T, json, 10) catch error.UnexpectedToken,
        else => parse(T, allocator, json, true),
    };
}

// ---------------------------------------------------------------------------------------------------
// Answers

/// What beforeRequest makes of a request; null leaves it as it is.
pub const RequestAction = union(enum) { change: Patch, respond: Reply };

/// Names and JSON texts, in order.
const Members = struct {
    const Member = struct { name: []const u8, json: []const u8 };
    list: []const Member = &.{},

    fn set(self: *Members, call: *Call, name: []const u8, value: anytype) void {
        const member: Member = .{ .name = call.keep(u8, name), .json = call.encode(value) };
        // Answers are values: the list is copied, because another answer may share it.
        for (self.list, 0..) |earlier, at| {
            if (!std.mem.eql(u8, earlier.name, name)) continue;
            const list = call.keep(Member, self.list);
            list[at] = member;
            self.list = list;
            return;
        }
        self.list = call.extended(Member, self.list, member);
    }

    fn setLower(self: *Members, call: *Call, name: []const u8, value: anytype) void {
        const lower = call.keep(u8, name);
        for (lower) |*letter| letter.* = std.ascii.toLower(letter.*);
        self.set(call, lower, value);
    }

    pub fn jsonStringify(self: Members, writer: anytype) !void {
        try writer.beginObject();
        for (self.list) |member| {
            try writer.objectField(member.name);
            try writer.print("{s}", .{member.json});
        }
        try writer.endObject();
    }
};

/// A whole response; made by a `Call`. Everything it is given is copied.
pub const Reply = struct {
    call: *Call,
    code: u16 = 200,
    headers: Members = .{},
    cookies: []const []const u8 = &.{},
    encoding: BodyEncoding,
    body: []const u8,

    pub fn status(self: Reply, code: u16) Reply {
        var reply = self;
        reply.code = code;
        return reply;
    }

    /// Sets a header, in the place of an earlier one of that name.
    pub fn header(self: Reply, name: []const u8, value: []const u8) Reply {
        var reply = self;
        reply.headers.setLower(self.call, name, value);
        return reply;
    }

    /// Adds a set-cookie header.
    pub fn cookie(self: Reply, value: []const u8) Reply {
        var reply = self;
        reply.cookies = self.call.extended([]const u8, self.cookies, self.call.keep(u8, value));
        reply.headers.set(self.call, "set-cookie", reply.cookies);
        return reply;
    }

    /// The reply as JSON, between two texts.
    fn written(self: Reply, before: []const u8, after: []const u8) []const u8 {
        var digits: [8]u8 = undefined;
        const parts = [_][]const u8{
            before,
            "{\"status\":",
            std.fmt.bufPrint(&digits, "{d}", .{self.code}) catch unreachable,
            ",\"headers\":",
            if (self.headers.list.len == 0) "{}" else self.call.encode(self.headers),
            ",\"body_encoding\":\"",
            @tagName(self.encoding),
            "\",\"body\":",
            self.body,
            "}",
            after,
        };
        return std.mem.concat(self.call.allocator(), u8, &parts) catch self.call.outOfMemory();
    }
};

/// Changes to a document, as an RFC 7396 merge patch; made by `Call.patch`. What it does not name stays as
/// it is, digit for digit. Everything it is given is copied.
pub const Patch = struct {
    call: *Call,
    members: Members = .{},
    headers: Members = .{},
    names: Members = .{},
    left: Members = .{},

    pub fn header(self: Patch, name: []const u8, value: []const u8) Patch {
        var patch = self;
        patch.headers.setLower(self.call, name, value);
        return patch;
    }

    pub fn removeHeader(self: Patch, name: []const u8) Patch {
        var patch = self;
        patch.headers.setLower(self.call, name, null);
        return patch;
    }

    /// Sets a member of the query. For requests only.
    pub fn query(self: Patch, name: []const u8, value: []const u8) Patch {
        var patch = self;
        patch.names.set(self.call, name, value);
        return patch;
    }

    /// Leaves a value for later hooks of the same request.
    pub fn context(self: Patch, name: []const u8, value: anytype) Patch {
        var patch = self;
        patch.left.set(self.call, name, value);
        return patch;
    }

    /// Sets any member of the document, such as "path", "method" or "status"; null removes it.
    pub fn set(self: Patch, member: []const u8, value: anytype) Patch {
        var patch = self;
        patch.members.set(self.call, member, value);
        return patch;
    }

    /// Merges a value into the body, which must be JSON.
    pub fn json(self: Patch, value: anytype) Patch {
        return self.set("body_encoding", BodyEncoding.json).set("body", value);
    }

    /// Replaces the body by text.
    pub fn text(self: Patch, value: []const u8) Patch {
        return self.set("body_encoding", BodyEncoding.text).set("body", value);
    }

    /// Replaces the body by bytes.
    pub fn bytes(self: Patch, value: []const u8) Patch {
        return self.set("body_encoding", BodyEncoding.base64).set("body", self.call.base64(value));
    }

    pub fn jsonStringify(self: Patch, writer: anytype) !void {
        var all = self.members;
        inline for (.{ "headers", "query", "context" }, .{ self.headers, self.names, self.left }) |name, members| {
            if (members.list.len > 0) all.set(self.call, name, members);
        }
        try writer.write(all);
    }
};

/// One call of a hook.
pub const Call = struct {
    arena: Arena,
    message: ?[]const u8 = null,

    /// What it allocates lasts until the hook returns.
    pub fn allocator(self: *Call) Allocator {
        return self.arena.allocator();
    }

    /// Why the call fails, in one sentence for the operator: `return call.fail("no city {s}", .{name});`
    pub fn fail(self: *Call, comptime format: []const u8, arguments: anytype) error{PluginFailed} {
        self.message = std.fmt.allocPrint(self.allocator(), format, arguments) catch "out of memory";
        return error.PluginFailed;
    }

    /// A 204 without a body.
    pub fn empty(self: *Call) Reply {
        return .{ .call = self, .code = 204, .encoding = .text, .body = "null" };
    }

    /// A 200 with a JSON body.
    pub fn json(self: *Call, value: anytype) Reply {
        return .{ .call = self, .encoding = .json, .body = self.encode(value) };
    }

    /// A 200 with a body of plain text.
    pub fn text(self: *Call, value: []const u8) Reply {
        const reply: Reply = .{ .call = self, .encoding = .text, .body = self.encode(value) };
        return reply.header("content-type", "text/plain; charset=utf-8");
    }

    /// A 200 with any bytes as its body.
    pub fn bytes(self: *Call, content_type: []const u8, value: []const u8) Reply {
        const reply: Reply = .{ .call = self, .encoding = .base64, .body = self.encode(self.base64(value)) };
        return reply.header("content-type", content_type);
    }

    /// A problem document (RFC 9457) for a request that cannot be answered.
    pub fn problem(self: *Call, code: u16, title: []const u8, detail: []const u8) Reply {
        return self.json(.{ .type = "about:blank", .title = title, .status = code, .detail = detail })
            .status(code).header("content-type", "application/problem+json");
    }

    /// A patch that changes nothing.
    pub fn patch(self: *Call) Patch {
        return .{ .call = self };
    }

    fn encode(self: *Call, value: anytype) []const u8 {
        return Stringify.valueAlloc(self.allocator(), value, .{}) catch self.outOfMemory();
    }

    fn base64(self: *Call, value: []const u8) []const u8 {
        const encoder = std.base64.standard.Encoder;
        const encoded = self.allocator().alloc(u8, encoder.calcSize(value.len)) catch self.outOfMemory();
        return encoder.encode(encoded, value);
    }

    fn keep(self: *Call, comptime T: type, value: []const T) []T {
        return self.allocator().dupe(T, value) catch self.outOfMemory();
    }

    fn extended(self: *Call, comptime T: type, list: []const T, item: T) []const T {
        return std.mem.concat(self.allocator(), T, &.{ list, &.{item} }) catch self.outOfMemory();
    }

    fn outOfMemory(_: *Call) noreturn {
        @panic("out of memory");
    }
};

// ---------------------------------------------------------------------------------------------------
// Services of the server

/// Services of the server. Each may be called on any thread.
pub const host = struct {
    var table: ?*const abi.Host = null;

    fn service(comptime name: []const u8) @FieldType(abi.Host, name) {
        const offered = table orelse return null;
        const end = @offsetOf(abi.Host, name) + @sizeOf(usize);
        return if (offered.size < end) null else @field(offered, name);
    }

    pub const Level = enum(i32) { debug, info, warn, err };

    /// Writes one line to the server's log, cut at 8 KiB.
    pub fn log(level: Level, comptime format: []const u8, arguments: anytype) void {
        const write = service("log") orelse return;
        var buffer: [8192]u8 = undefined;
        var line: std.Io.Writer = .fixed(buffer[0 .. buffer.len - 1]);
        line.print(format, arguments) catch {}; // What fits is written.
        write(@backingInt(level), terminated(&buffer, line.end));
    }

    /// Adds to the counter backworks_plugin_custom_total{plugin,name}. Names are made of a-z, 0-9 and _.
    pub fn metric(name: [:0]const u8, delta: f64) void {
        if (service("metric")) |add| add(name.ptr, delta);
    }

    /// A value of the plugin's own key-value space.
    pub fn kvGet(call: *Call, key: [:0]const u8) !?[]const u8 {
        const get = service("kv_get") orelse return error.NotOffered;
        return copied(call, get(key.ptr));
    }

    /// Writes a value; null removes it. Without a time it lives as long as the store.
    pub fn kvSet(key: [:0]const u8, value: ?[:0]const u8, ttl_seconds: u32) !void {
        const set = service("kv_set") orelse return error.NotOffered;
        if (set(key.ptr, if (value) |text| text.ptr else null, ttl_seconds) != 0) return error.NotStored;
    }

    /// Has the server make an HTTP request, to an origin that the plugin's permissions name. The call waits for it.
    pub fn fetch(call: *Call, request: HttpRequest) !HttpResult {
        const ask = service("http_fetch") orelse return error.NotOffered;
        const answer = copied(call, ask(terminatedCopy(call, request.document(call)))) orelse return error.UnreadableAnswer;
        const read = parse(struct {
            status: ?u16 = null,
            headers: Values = .{},
            body: Raw = .{},
            body_encoding: BodyEncoding = .text,
            @"error": ?[]const u8 = null,
        }, call.allocator(), answer, true) catch return error.UnreadableAnswer;
        if (read.@"error") |message| return .{ .failed = message };
        const body: Body = .{ .raw = read.body.text, .encoding = read.body_encoding, .streamed = false };
        return .{ .response = .{
            .status = read.status orelse return error.UnreadableAnswer,
            .headers = read.headers,
            .body = body.bytes(call) catch return error.UnreadableAnswer,
        } };
    }

    /// The same with the documents that cross the ABI: {method, url, headers, body, body_encoding, timeout_ms}. The result is
    /// {status, headers, body, body_encoding} with the body as a string, or {error}.
    pub fn httpFetch(call: *Call, request: anytype, comptime T: type) !T {
        const ask = service("http_fetch") orelse return error.NotOffered;
        const answer = copied(call, ask(terminatedCopy(call, call.encode(request)))) orelse return error.NoAnswer;
        return parse(T, call.allocator(), answer, true);
    }

    /// Calls an operation of another plugin; null stands for the dependency that provides it.
    pub fn invoke(call: *Call, plugin: ?[:0]const u8, operation: [:0]const u8, payload: anytype, comptime T: type) !T {
        const perform = service("call") orelse return error.NotOffered;
        const name = if (plugin) |text| text.ptr else null;
        const text = terminatedCopy(call, call.encode(payload));
        const answer = copied(call, perform(name, operation.ptr, text)) orelse return error.NoAnswer;
        return parse(T, call.allocator(), answer, true);
    }

    /// Milliseconds that the running call has left; null without a deadline.
    pub fn deadlineLeft() ?u64 {
        const left = service("deadline_left_ms") orelse return null;
        return std.math.cast(u64, left());
    }

    /// True when the server no longer waits for the answer of the running call.
    pub fn cancelled() bool {
        const is_cancelled = service("cancelled") orelse return false;
        return is_cancelled() != 0;
    }

    /// Ends the process when the server cannot be told: NULL would let pass what the plugin refuses.
    fn fail(message: []const u8) void {
        const tell = service("fail") orelse std.debug.panic("{s}", .{message});
        var buffer: [8192]u8 = undefined;
        tell(terminated(&buffer, cut(&buffer, message)));
    }

    /// Copies what fits in front of the final NUL byte.
    fn cut(buffer: []u8, text: []const u8) usize {
        const length = @min(text.len, buffer.len - 1);
        @memcpy(buffer[0..length], text[0..length]);
        return length;
    }

    /// A NUL byte would end the text early, so it becomes a space.
    fn terminated(buffer: []u8, length: usize) [*:0]const u8 {
        for (buffer[0..length]) |*byte| if (byte.* == 0) {
            byte.* = ' ';
        };
        buffer[length] = 0;
        return buffer[0..length :0].ptr;
    }

    fn terminatedCopy(call: *Call, text: []const u8) [*:0]const u8 {
        return (call.allocator().dupeSentinel(u8, text, 0) catch call.outOfMemory()).ptr;
    }

    /// The host's string lasts only until the next host function.
    fn copied(call: *Call, text: ?[*:0]const u8) ?[]const u8 {
        return call.keep(u8, std.mem.span(text orelse return null));
    }
};

// ---------------------------------------------------------------------------------------------------
// The manifest

fn writeManifest(comptime P: type, writer: *Stringify) !void {
    const info: Info = P.info;
    try writer.beginObject();
    try writer.objectField("hooks");
    try writer.beginArray();
    inline for (.{ "beforeRequest", "processEndpoint", "afterResponse" }, .{ "before_request", "process_endpoint", "after_response" }) |function, hook| {
        if (@hasDecl(P, function)) try writer.write(hook);
    }
    try writer.endArray();
    try writer.objectField("critical");
    try writer.write(info.critical);
    inline for (.{ "max_execution_time_ms", "priority", "author", "license", "backworks" }) |name| {
        if (@field(info, name)) |value| {
            try writer.objectField(name);
            try writer.write(value);
        }
    }
    if (info.dependencies.len > 0) {
        try writer.objectField("dependencies");
        try writer.write(info.dependencies);
    }
    if (@hasDecl(P, "operations")) {
        try writer.objectField("capabilities");
        try writer.beginArray();
        inline for (comptime std.meta.fieldNames(@TypeOf(P.operations))) |name| try writer.write(name);
        try writer.endArray();
    }
    if (@hasDecl(P, "Config")) {
        try writer.objectField("config_schema");
        try writeSchema(P.Config, writer, .{ .@"$schema" = "http://json-schema.org/draft-07/schema#" }, {});
    }
    try writer.endObject();
}

/// JSON Schema of a type. `more` has further keywords, which come last. `default` is {} for none.
fn writeSchema(comptime T: type, writer: *Stringify, more: anytype, default: anytype) Stringify.Error!void {
    if (@typeInfo(T) == .optional) return writeSchema(@typeInfo(T).optional.child, writer, more, {});
    try writer.beginObject();
    switch (@typeInfo(T)) {
        .bool => try keyword(writer, "type", "boolean"),
        .float => try keyword(writer, "type", "number"),
        .int => |int| {
            try keyword(writer, "type", "integer");
            // A limit of `more` is narrower, and a name may not occur twice.
            if (int.bits < 64) {
                if (!@hasField(@TypeOf(more), "minimum")) try keyword(writer, "minimum", std.math.minInt(T));
                if (!@hasField(@TypeOf(more), "maximum")) try keyword(writer, "maximum", std.math.maxInt(T));
            } else if (int.signedness == .unsigned and !@hasField(@TypeOf(more), "minimum")) {
                try keyword(writer, "minimum", 0);
            }
        },
        .@"enum" => {
            try keyword(writer, "type", "string");
            try keyword(writer, "enum", comptime std.meta.fieldNames(T));
        },
        .pointer => |pointer| if (pointer.child == u8) {
            try keyword(writer, "type", "string");
        } else {
            try keyword(writer, "type", "array");
            try writer.objectField("items");
            try writeSchema(pointer.child, writer, .{}, {});
        },
        .@"struct" => try writeProperties(T, writer),
        else => @compileError("a configuration cannot hold " ++ @typeName(T)),
    }
    inline for (comptime std.meta.fieldNames(@TypeOf(more))) |name| try keyword(writer, name, @field(more, name));
    if (@TypeOf(default) != void) try keyword(writer, "default", default);
    try writer.endObject();
}

fn keyword(writer: *Stringify, name: []const u8, value: anytype) !void {
    try writer.objectField(name);
    try writer.write(value);
}

/// A field without a default is required. The declaration `schema` of the struct has more keywords.
fn writeProperties(comptime T: type, writer: *Stringify) !void {
    const fields = @typeInfo(T).@"struct";
    try keyword(writer, "type", "object");
    try keyword(writer, "additionalProperties", false);
    try writer.objectField("properties");
    try writer.beginObject();
    inline for (fields.field_names, fields.field_types, fields.field_attrs) |name, Field, attributes| {
        try writer.objectField(name);
        const more = if (@hasDecl(T, "schema") and @hasField(@TypeOf(T.schema), name)) @field(T.schema, name) else .{};
        const default = if (attributes.default_value_ptr == null) {} else comptime attributes.defaultValue(Field).?;
        try writeSchema(Field, writer, more, default);
    }
    try writer.endObject();
    try writer.objectField("required");
    try writer.beginArray();
    inline for (fields.field_names, fields.field_attrs) |name, attributes| {
        if (attributes.default_value_ptr == null) try writer.write(name);
    }
    try writer.endArray();
}

// ---------------------------------------------------------------------------------------------------
// The C ABI

const abi = struct {
    const Text = ?[*:0]const u8;
    const Config = fn (Text) callconv(.c) i32;
    const Status = fn () callconv(.c) i32;
    const Hook = fn (Text) callconv(.c) Text;
    const Endpoint = fn (Text, Text, Text) callconv(.c) Text;

    const PluginInfo = extern struct { name: Text, version: Text, description: Text };

    const VTable = extern struct {
        initialize: ?*const Config = null,
        shutdown: ?*const Status = null,
        health_check: ?*const Status = null,
        before_request: ?*const Hook = null,
        after_response: ?*const Hook = null,
        process_endpoint: ?*const Endpoint = null,
    };

    const Host = extern struct {
        size: u32,
        abi_version: u32,
        log: ?*const fn (i32, Text) callconv(.c) void,
        metric: ?*const fn (Text, f64) callconv(.c) void,
        kv_get: ?*const Hook,
        kv_set: ?*const fn (Text, Text, u32) callconv(.c) i32,
        http_fetch: ?*const Hook,
        call: ?*const Endpoint,
        deadline_left_ms: ?*const fn () callconv(.c) i64,
        cancelled: ?*const Status,
        fail: ?*const fn (Text) callconv(.c) void,
    };

    const Extensions = extern struct {
        size: u32 = @sizeOf(Extensions),
        abi_version: u32 = 1,
        flags: u64,
        manifest: ?*const fn () callconv(.c) Text,
        free_string: ?*const fn (Text) callconv(.c) void,
        last_error: ?*const fn () callconv(.c) Text,
        bind_host: ?*const fn (?*const Host) callconv(.c) i32,
        call: ?*const fn (Text, Text) callconv(.c) Text = null,
        reconfigure: ?*const Config = null,
    };
};

/// Exports a plugin type, in a comptime block: `comptime { backworks.exportPlugin(Greeter); }`. Every field
/// of the type has a default, because the server makes the plugin.
pub fn exportPlugin(comptime P: type) void {
    const E = Exported(P);
    @export(&E.pluginInfo, .{ .name = "plugin_info" });
    @export(&E.pluginVTable, .{ .name = "plugin_vtable" });
    @export(&E.extensions, .{ .name = "backworks_extensions" });
}

fn Exported(comptime P: type) type {
    return struct {
        var plugin: P = .{};
        var config: ?Arena = null;
        var described: abi.Text = null;
        /// Written and read by [serial] functions only.
        var last_error: [1024]u8 = @splat(0);

        const table: abi.Extensions = .{
            .flags = if (P.info.thread_safe) 1 else 0,
            .manifest = &manifest,
            .free_string = &freeString,
            .last_error = &lastError,
            .bind_host = &bindHost,
            .call = if (@hasDecl(P, "operations")) &perform else null,
            .reconfigure = if (@hasDecl(P, "reconfigure")) &reconfigure else null,
        };

        fn pluginInfo() callconv(.c) abi.PluginInfo {
            const info: Info = P.info;
            return .{ .name = info.name.ptr, .version = info.version.ptr, .description = info.description.ptr };
        }

        fn pluginVTable() callconv(.c) abi.VTable {
            return .{
                .initialize = if (@hasDecl(P, "initialize")) &initialize else null,
                .shutdown = if (@hasDecl(P, "shutdown")) &shutdown else null,
                .health_check = if (@hasDecl(P, "healthCheck")) &healthCheck else null,
                .before_request = if (@hasDecl(P, "beforeRequest")) &beforeRequest else null,
                .after_response = if (@hasDecl(P, "afterResponse")) &afterResponse else null,
                .process_endpoint = if (@hasDecl(P, "processEndpoint")) &processEndpoint else null,
            };
        }

        fn extensions() callconv(.c) *const abi.Extensions {
            return &table;
        }

        fn manifest() callconv(.c) abi.Text {
            if (described == null) {
                var text: std.Io.Writer.Allocating = .init(gpa);
                var writer: Stringify = .{ .writer = &text.writer, .options = .{ .emit_null_optional_fields = false } };
                writeManifest(P, &writer) catch @panic("out of memory");
                described = (text.toOwnedSliceSentinel(0) catch @panic("out of memory")).ptr;
            }
            return described;
        }

        fn freeString(text: abi.Text) callconv(.c) void {
            std.c.free(@constCast(text));
        }

        fn lastError() callconv(.c) abi.Text {
            return @ptrCast(&last_error);
        }

        fn bindHost(offered: ?*const abi.Host) callconv(.c) i32 {
            host.table = offered;
            return 0;
        }

        fn initialize(text: abi.Text) callconv(.c) i32 {
            return configure(text, "initialize");
        }

        fn reconfigure(text: abi.Text) callconv(.c) i32 {
            return configure(text, "reconfigure");
        }

        /// The memory of a configuration lasts until the next one is accepted.
        fn configure(text: abi.Text, comptime function: []const u8) i32 {
            var arena: Arena = .init(gpa);
            var call: Call = .{ .arena = .init(gpa) };
            defer call.arena.deinit();
            read(&arena, &call, std.mem.span(text orelse "{}"), function) catch |err| {
                arena.deinit();
                return explain(1, call.message orelse @errorName(err));
            };
            if (config) |old| old.deinit();
            config = arena;
            return 0;
        }

        fn read(arena: *Arena, call: *Call, text: []const u8, comptime function: []const u8) !void {
            if (!@hasDecl(P, "Config")) return @field(P, function)(&plugin, call);
            const kept = try arena.allocator().dupe(u8, text);
            const value = parse(P.Config, arena.allocator(), kept, false) catch |err|
                return call.fail("the configuration does not fit its type: {t}", .{err});
            return @field(P, function)(&plugin, call, value);
        }

        fn shutdown() callconv(.c) i32 {
            P.shutdown(&plugin) catch |err| return explain(1, @errorName(err));
            return 0;
        }

        fn healthCheck() callconv(.c) i32 {
            return switch (P.healthCheck(&plugin)) {
                .healthy => 0,
                .degraded => |reason| explain(1, reason),
                .unhealthy => |reason| explain(-1, reason),
            };
        }

        fn explain(status: i32, reason: []const u8) i32 {
            _ = host.terminated(&last_error, host.cut(&last_error, reason));
            return status;
        }

        fn beforeRequest(document: abi.Text) callconv(.c) abi.Text {
            return respond(.{document}, struct {
                fn work(call: *Call, text: []const u8) !?[]const u8 {
                    const request = try readDocument(Request, call.allocator(), text);
                    const action = try P.beforeRequest(&plugin, call, &request) orelse return null;
                    return switch (action) {
                        .change => |change| call.encode(.{ .request = change }),
                        .respond => |reply| reply.written("{\"response\":", "}"),
                    };
                }
            }.work);
        }

        fn afterResponse(document: abi.Text) callconv(.c) abi.Text {
            return respond(.{document}, struct {
                fn work(call: *Call, text: []const u8) !?[]const u8 {
                    const response = try readDocument(Response, call.allocator(), text);
                    const patch = try P.afterResponse(&plugin, call, &response) orelse return null;
                    return call.encode(.{ .response = patch });
                }
            }.work);
        }

        /// The document has the route and the method too.
        fn processEndpoint(_: abi.Text, _: abi.Text, document: abi.Text) callconv(.c) abi.Text {
            return respond(.{document}, struct {
                fn work(call: *Call, text: []const u8) !?[]const u8 {
                    const request = try readDocument(Request, call.allocator(), text);
                    const reply = try P.processEndpoint(&plugin, call, &request) orelse return null;
                    return reply.written("", "");
                }
            }.work);
        }

        fn perform(operation: abi.Text, payload: abi.Text) callconv(.c) abi.Text {
            return respond(.{ operation, payload }, struct {
                fn work(call: *Call, name: []const u8, text: []const u8) !?[]const u8 {
                    inline for (comptime std.meta.fieldNames(@TypeOf(P.operations))) |known| {
                        if (std.mem.eql(u8, name, known)) {
                            const function = @field(P.operations, known);
                            const In = @typeInfo(@TypeOf(function)).@"fn".param_types[2].?;
                            return call.encode(try function(&plugin, call, try parse(In, call.allocator(), text, true)));
                        }
                    }
                    return null;
                }
            }.work);
        }
    };
}

/// Runs a hook with the host's strings, and copies its answer for the host.
fn respond(texts: anytype, comptime work: anytype) abi.Text {
    var call: Call = .{ .arena = .init(gpa) };
    defer call.arena.deinit();
    var arguments: std.meta.ArgsTuple(@TypeOf(work)) = undefined;
    arguments[0] = &call;
    inline for (texts, 1..) |text, at| arguments[at] = std.mem.span(text orelse "");
    const json = @call(.auto, work, arguments) catch |err| {
        host.fail(call.message orelse @errorName(err));
        return null;
    } orelse return null;
    return (gpa.dupeSentinel(u8, json, 0) catch @panic("out of memory")).ptr;
}

// ---------------------------------------------------------------------------------------------------
// Unit tests

/// Unit tests of a plugin without a server and without Node.js.
pub const testing = struct {
    pub const Line = struct { level: host.Level, text: []const u8 };
    pub const Operation = struct { name: []const u8, payload: []const u8 };

    /// A response of the plugin, as the server would send it.
    pub const Answer = struct {
        status: u16 = 200,
        headers: Values = .{},
        body: Raw = .{},
        body_encoding: BodyEncoding = .json,

        /// The first value of a header; `name` is in lower case.
        pub fn header(self: *const Answer, name: []const u8) ?[]const u8 {
            return self.headers.get(name);
        }
    };

    /// What beforeRequest or afterResponse made of a document: nothing, a merge patch as JSON, or a response.
    pub const Outcome = union(enum) { unchanged, changed: []const u8, answered: Answer };

    /// Stands in for the server: records what the plugin does, and answers as the test says. One at a time.
    ///
    ///     var host: backworks.testing.Host = .init(std.testing.allocator);
    ///     defer host.deinit();
    ///     var greeter = try host.start(Greeter, .{ .greeting = "good day" });
    ///     const answer = (try host.processEndpoint(&greeter, .{ .params = .{ .name = "Ada" } })).?;
    ///     try std.testing.expectEqualStrings("{\"greeting\":\"good day Ada\"}", answer.body.text);
    pub const Host = struct {
        /// The memory of everything that is recorded and answered lasts until deinit().
        call: Call,
        /// Lines that the plugin logged, oldest first.
        log: std.ArrayList(Line) = .empty,
        counters: std.json.ArrayHashMap(f64) = .{},
        values: std.json.ArrayHashMap(Value) = .{},
        responses: std.ArrayList(Scripted) = .empty,
        /// Documents of the HTTP requests that the plugin made, oldest first.
        requests: std.ArrayList([]const u8) = .empty,
        answers: std.ArrayList(Scripted) = .empty,
        /// Calls of other plugins' operations, oldest first.
        calls: std.ArrayList(Operation) = .empty,
        now_ms: u64 = 0,
        /// Milliseconds that the calls that follow have left; null for no deadline.
        deadline_left_ms: ?u64 = null,
        is_cancelled: bool = false,

        const Value = struct { text: []const u8, ends_ms: u64 };
        const Scripted = struct { name: []const u8, json: [:0]const u8, is_used: bool = false };

        /// The host is in use from the first start() to deinit().
        pub fn init(allocator: Allocator) Host {
            return .{ .call = .{ .arena = .init(allocator) } };
        }

        pub fn deinit(self: *Host) void {
            if (current == self) {
                current = null;
                host.table = null;
            }
            self.call.arena.deinit();
        }

        /// Makes a plugin and initializes it. The configuration is a struct that has the members of a `config:`
        /// block; its error is that of initialize(), and `call.message` says why.
        pub fn start(self: *Host, comptime P: type, config: anytype) !P {
            current = self;
            host.table = &table;
            var plugin: P = .{};
            if (!@hasDecl(P, "initialize")) return plugin;
            if (@hasDecl(P, "Config")) {
                const read = try parse(P.Config, self.call.allocator(), self.objectOf(config), false);
                try plugin.initialize(&self.call, read);
            } else try plugin.initialize(&self.call);
            return plugin;
        }

        /// Calls the hook with a request document. `members` is a struct with those that the test needs; everything
        /// has a default, GET / without a body.
        pub fn processEndpoint(self: *Host, plugin: anytype, members: anytype) !?Answer {
            const request = try self.requestOf(members);
            const reply = try plugin.processEndpoint(&self.call, &request) orelse return null;
            return try parse(Answer, self.call.allocator(), reply.written("", ""), false);
        }

        /// Calls the hook in the same way.
        pub fn beforeRequest(self: *Host, plugin: anytype, members: anytype) !Outcome {
            const request = try self.requestOf(members);
            const action = try plugin.beforeRequest(&self.call, &request) orelse return .unchanged;
            return switch (action) {
                .change => |patch| .{ .changed = self.call.encode(patch) },
                .respond => |reply| .{
                    .answered = try parse(Answer, self.call.allocator(), reply.written("", ""), false),
                },
            };
        }

        /// Calls the hook with a response document; its default is a 200 that answers GET /, without a body.
        pub fn afterResponse(self: *Host, plugin: anytype, members: anytype) !Outcome {
            const defaults =
                \\{"status":200,"request":{"id":"test","method":"GET","path":"/","route":"/"}
            ;
            const response = try self.documentOf(Response, defaults, members);
            const patch = try plugin.afterResponse(&self.call, &response) orelse return .unchanged;
            return .{ .changed = self.call.encode(patch) };
        }

        fn requestOf(self: *Host, members: anytype) !Request {
            const defaults =
                \\{"id":"test","method":"GET","path":"/","route":"/","remote":{"address":"127.0.0.1","port":50000}
            ;
            return self.documentOf(Request, defaults, members);
        }

        /// Of two members with one name the last one counts. A body that is no string is JSON.
        fn documentOf(self: *Host, comptime T: type, defaults: []const u8, members: anytype) !T {
            const given = self.objectOf(members);
            const rest = if (std.mem.eql(u8, given, "{}")) "}" else given[1..];
            const parts = [_][]const u8{ defaults, if (rest.len > 1) "," else "", rest };
            const text = std.mem.concat(self.call.allocator(), u8, &parts) catch self.call.outOfMemory();
            var read = try parse(T, self.call.allocator(), text, false);
            const is_json = read.body.text[0] != '"' and !std.mem.eql(u8, read.body.text, "null");
            if (is_json and read.body_encoding == .text) read.body_encoding = .json;
            return read;
        }

        /// JSON of a struct; .{} is an empty tuple, which would be written as a list.
        fn objectOf(self: *Host, value: anytype) []const u8 {
            const text = self.call.encode(value);
            return if (std.mem.eql(u8, text, "[]")) "{}" else text;
        }

        /// Whether some line contains this text.
        pub fn logged(self: *const Host, part: []const u8) bool {
            for (self.log.items) |line| {
                if (std.mem.indexOf(u8, line.text, part) != null) return true;
            }
            return false;
        }

        /// The sum of a counter; 0 when the plugin did not raise it.
        pub fn metric(self: *const Host, name: []const u8) f64 {
            return self.counters.map.get(name) orelse 0;
        }

        /// A value of the plugin's key-value space.
        pub fn kv(self: *const Host, key: []const u8) ?[]const u8 {
            const value = self.values.map.get(key) orelse return null;
            return if (value.ends_ms != 0 and value.ends_ms <= self.now_ms) null else value.text;
        }

        /// Sets a value of the plugin's key-value space.
        pub fn setKv(self: *Host, key: []const u8, text: []const u8) void {
            self.store(key, .{ .text = self.call.keep(u8, text), .ends_ms = 0 });
        }

        fn store(self: *Host, key: []const u8, value: Value) void {
            self.values.map.put(self.call.allocator(), self.call.keep(u8, key), value) catch self.call.outOfMemory();
        }

        /// What a request to a URL is answered with: a struct {status, headers, body, body_encoding} or {error}.
        /// Several answers for one URL are given in order, the last one again and again. Any other URL gets an error.
        pub fn respond(self: *Host, url: []const u8, answer: anytype) void {
            self.script(&self.responses, url, answer);
        }

        /// What an operation of another plugin answers, in the same way. Any other operation gives no answer.
        pub fn provide(self: *Host, operation: []const u8, answer: anytype) void {
            self.script(&self.answers, operation, answer);
        }

        fn script(self: *Host, list: *std.ArrayList(Scripted), name: []const u8, answer: anytype) void {
            const json = self.call.allocator().dupeSentinel(u8, self.call.encode(answer), 0) catch self.call.outOfMemory();
            self.add(Scripted, list, .{ .name = self.call.keep(u8, name), .json = json });
        }

        fn add(self: *Host, comptime T: type, list: *std.ArrayList(T), item: T) void {
            list.append(self.call.allocator(), item) catch self.call.outOfMemory();
        }

        fn next(list: []Scripted, name: []const u8) ?[:0]const u8 {
            var last: ?*Scripted = null;
            for (list) |*each| {
                if (!std.mem.eql(u8, each.name, name)) continue;
                last = each;
                if (!each.is_used) break;
            }
            const found = last orelse return null;
            found.is_used = true;
            return found.json;
        }

        /// Lets time pass: the deadline comes nearer, and values of the key-value space end.
        pub fn pass(self: *Host, milliseconds: u64) void {
            self.now_ms += milliseconds;
            if (self.deadline_left_ms) |left| self.deadline_left_ms = left -| milliseconds;
        }
    };

    var current: ?*Host = null;

    const table: abi.Host = .{
        .size = @sizeOf(abi.Host),
        .abi_version = 1,
        .log = &log,
        .metric = &addMetric,
        .kv_get = &kvGet,
        .kv_set = &kvSet,
        .http_fetch = &httpFetch,
        .call = &perform,
        .deadline_left_ms = &deadlineLeft,
        .cancelled = &cancelled,
        .fail = &fail,
    };

    fn kept(self: *Host, text: abi.Text) []const u8 {
        return self.call.keep(u8, std.mem.span(text orelse ""));
    }

    fn log(level: i32, text: abi.Text) callconv(.c) void {
        const self = current.?;
        self.add(Line, &self.log, .{ .level = @fromBackingInt(@intCast(level)), .text = kept(self, text) });
    }

    fn addMetric(name: abi.Text, delta: f64) callconv(.c) void {
        const self = current.?;
        if (!(delta >= 0) or std.math.isInf(delta)) return;
        const sum = self.counters.map.getOrPutValue(self.call.allocator(), kept(self, name), 0) catch self.call.outOfMemory();
        sum.value_ptr.* += delta;
    }

    fn kvGet(key: abi.Text) callconv(.c) abi.Text {
        const self = current.?;
        const text = self.kv(std.mem.span(key orelse "")) orelse return null;
        return (self.call.allocator().dupeSentinel(u8, text, 0) catch self.call.outOfMemory()).ptr;
    }

    fn kvSet(key: abi.Text, value: abi.Text, ttl_seconds: u32) callconv(.c) i32 {
        const self = current.?;
        const name = std.mem.span(key orelse "");
        if (name.len == 0 or name.len > 1024) return 2;
        const text = kept(self, value orelse {
            _ = self.values.map.swapRemove(name);
            return 0;
        });
        if (text.len > 1 << 20) return 2;
        const ends_ms = if (ttl_seconds == 0) 0 else self.now_ms + @as(u64, ttl_seconds) * 1000;
        self.store(name, .{ .text = text, .ends_ms = ends_ms });
        return 0;
    }

    fn httpFetch(request: abi.Text) callconv(.c) abi.Text {
        const self = current.?;
        const text = kept(self, request);
        self.add([]const u8, &self.requests, text);
        const read = parse(struct { url: []const u8 = "" }, self.call.allocator(), text, true) catch
            return "{\"error\":\"the request is not JSON\"}";
        const answer = Host.next(self.responses.items, read.url) orelse
            return "{\"error\":\"the test has no response for this URL\"}";
        return answer.ptr;
    }

    fn perform(_: abi.Text, operation: abi.Text, payload: abi.Text) callconv(.c) abi.Text {
        const self = current.?;
        const name = kept(self, operation);
        self.add(Operation, &self.calls, .{ .name = name, .payload = kept(self, payload) });
        const answer = Host.next(self.answers.items, name) orelse return null;
        return answer.ptr;
    }

    fn deadlineLeft() callconv(.c) i64 {
        return std.math.cast(i64, current.?.deadline_left_ms orelse return -1) orelse std.math.maxInt(i64);
    }

    fn cancelled() callconv(.c) i32 {
        const self = current.?;
        return @intFromBool(self.is_cancelled or self.deadline_left_ms == 0);
    }

    /// Errors of hooks reach the test as errors.
    fn fail(_: abi.Text) callconv(.c) void {}
};
