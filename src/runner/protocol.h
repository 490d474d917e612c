/*
 * The runner protocol, version 4.
 *
 * The server (src/native/protocol/protocol.ts) and the runner (src/runner/protocol.h) talk over two pipes:
 * the runner reads descriptor 3 and writes descriptor 6. When descriptor 3 is not a pipe, it is a stream
 * socket that carries both directions. Both sides send frames: a header of 16 bytes, then `length` bytes of
 * payload. Numbers are little-endian.
 *
 *   offset 0   u32  length    payload bytes, at most FRAME_PAYLOAD_MAX
 *   offset 4   u32  id        number of the call, chosen by the server and repeated by the answer;
 *                             0 on frames that belong to no call
 *   offset 8   u8   type      a frame type, below
 *   offset 9   u8   detail    hook, steps, flags, failure kind or log level, depending on the type
 *   offset 10  u16  reserved  0
 *   offset 12  i32  value     version, status, duration or bit mask, depending on the type
 *
 * Each side's first frame is HELLO with the protocol version. Another first frame, another version, an
 * unknown type, a wrong length or a frame in the wrong state ends the connection and the runner. The
 * server may send further frames after its HELLO without waiting. Without call threads, the runner
 * answers frames in the order they were sent. With call threads, it answers each call when the call is
 * done, and every other frame after the calls before it. Strings in a payload each end with a NUL byte,
 * except the text of REPLY, FAILED, LOG and METRIC, which is the rest of the payload. Neither side makes
 * values of JSON to speak this protocol.
 *
 * A BATCH calls several hooks of one request in order: before_request, process_endpoint and
 * after_response. Its detail names two or three consecutive ones. The runner answers each hook with a
 * frame of its own. It calls the next hook only when before_request left the request unchanged (EMPTY) or
 * returned a patch that the runner can apply to its documents (request_patch.h), and when the endpoint's
 * answer is JSON that is sent unchanged (PLAIN), which then completes the response document. MORE on an
 * answer says that the runner calls the next hook.
 *
 *   server ─▶ HELLO  [SANDBOX]  LOAD  INITIALIZE  (CALL | BATCH | HEALTH_CHECK | RECONFIGURE)*  SHUTDOWN
 *   runner ─▶ HELLO  [READY]  LOADED  STATUS  (REPLY | EMPTY | STATUS | FAILED | LOG | METRIC | REFUSED)*  STATUS
 *
 * Descriptor 5 is a socket with the same frames, for requests of the plugin to the server. The runner
 * sends a request and reads its answer, with the same id, before it sends another request. With call
 * threads, a request names the call whose thread sends it.
 *
 * Without SANDBOX, the library is not restricted and its crashes are not reported. With SANDBOX, CRASHED
 * may come at any moment; it is the runner's last frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PROTOCOL_H
#define BACKWORKS_RUNNER_PROTOCOL_H

#include <stdint.h>

enum {
    PROTOCOL_VERSION = 4,
    PROTOCOL_DESCRIPTOR = 3,
    SHARED_DESCRIPTOR = 4,
    SERVICES_DESCRIPTOR = 5,
    ANSWERS_DESCRIPTOR = 6,
    LIBRARY_DESCRIPTOR = 7,
    FRAME_HEADER_SIZE = 16,
    FRAME_PAYLOAD_MAX = 16 * 1024 * 1024,
    LOG_TEXT_MAX = 8 * 1024,
    THREADS_MAX = 64,
    JSON_DEPTH_MAX = 100,
    RUNNER_PATCH_MAX = 4096,
    KV_KEY_MAX = 1024,
    KV_VALUE_MAX = 1024 * 1024
};

/*
 * Memory that both sides share (descriptor 4). The runner writes it, and the server reads it when the
 * process has ended. Only the log rate and the cancelled slots are written by the server. Byte n of
 * everything the runner has ever sent lies at ring[n % ANSWER_RING_SIZE] until it has been written to the
 * channel. Each thread that enters functions has a slot; slot 0 is the serving thread's. The frame in a
 * slot was begun, and may have been answered since.
 */
enum shared_page {
    SHARED_BEGUN = 0,     /* u32: id of the newest frame whose function was entered */
    SHARED_PRODUCED = 8,  /* u64: total bytes put into the ring or written without it */
    SHARED_LOG_RATE = 24, /* u32: bytes of LOG a second that may leave the runner; 0 = unlimited */
    SHARED_ENDED_BY = 28, /* u32: id of the call whose thread ended the process; 0 = unknown */
    SHARED_RUNNING = 64,  /* slots: u32 id of a frame, u32 thread id, u64 when its function was
                                entered, CLOCK_MONOTONIC in microseconds */
    RUNNING_SLOT_SIZE = 16,
    SHARED_CANCELLED = 4096, /* u32 slots: the id at id % CANCEL_SLOTS must not be begun */
    CANCEL_SLOTS = 4096,
    SHARED_RING = 20480,
    ANSWER_RING_SIZE = 65536,
    SHARED_SIZE = 86016
};

/* Frames from the server. */
enum server_frame {
    FRAME_HELLO = 1,      /* value: protocol version; payload: empty */
    FRAME_LOAD = 2,       /* detail: enum load_from; value: longest reply in bytes;
                               payload: path of the library */
    FRAME_INITIALIZE = 3, /* detail: number of call threads, 0 = the serving thread runs calls;
                               value: time limit in ms, 0 = none; payload: configuration */
    FRAME_CALL = 4, /* detail: hook; value: time left in ms, -1 = no limit; payload: arguments */
    FRAME_HEALTH_CHECK = 5, /* payload: empty */
    FRAME_RECONFIGURE = 6,  /* payload: configuration */
    FRAME_SHUTDOWN = 7,     /* payload: empty; the runner answers STATUS and exits */
    FRAME_SANDBOX = 8,      /* payload: settings `key=value`, see sandbox_policy.h */
    FRAME_BATCH = 9 /* detail: steps; value: time left in ms for each step, -1 = no limit; payload:
                               request_json, endpoint, method, and with after_response the response
                               document up to its body */
};

/*
 * How a library is loaded; the detail of LOAD. The server has compared the bytes of descriptor 7 with a
 * digest. A file that replaces the library afterwards is therefore not loaded.
 */
enum load_from {
    LOAD_PATH = 0,       /* the file at the path */
    LOAD_DESCRIPTOR = 1, /* descriptor 7; the path is its name */
    LOAD_SAME_FILE = 2   /* the path, which must lead to descriptor 7: the loader finds other
                            libraries relative to the path */
};

/* The hooks a BATCH calls, in this order; the detail of BATCH. */
enum batch_step {
    BATCH_BEFORE_REQUEST = 1 << 0,
    BATCH_PROCESS_ENDPOINT = 1 << 1,
    BATCH_AFTER_RESPONSE = 1 << 2
};

/* The detail of REPLY and EMPTY. */
enum answer_flag {
    ANSWER_MORE = 1 << 0, /* the runner calls the next hook of the batch and answers again */
    ANSWER_PLAIN = 1 << 1 /* process_endpoint's answer is valid JSON and is no response document */
};

/* Frames from the runner. */
enum runner_frame {
    FRAME_RUNNER_HELLO = 65, /* value: protocol version; payload: empty */
    FRAME_LOADED = 66, /* value: FUNCTION_* bits; payload: name, version, description, manifest */
    FRAME_STATUS = 67, /* value: the function's return; payload: last_error text or empty */
    FRAME_REPLY =
        68, /* detail: flags; value: nanoseconds the function ran, at most INT32_MAX: the runner's
                                measurement, used for reports only; payload: the string it returned,
                                without its NUL */
    FRAME_EMPTY = 69,   /* detail and value: as for REPLY; the hook returned NULL */
    FRAME_FAILED = 70,  /* detail: failure; payload: why */
    FRAME_LOG = 71,     /* detail: log level; id 0; value: bytes that were dropped before it;
                                payload: text; empty when the frame only reports dropped bytes */
    FRAME_METRIC = 72,  /* id 0; payload: 8 bytes IEEE 754 delta, then the name */
    FRAME_CRASHED = 73, /* id 0; value: signal; payload: address touched, module, offset in it,
                                phase, number and name of a forbidden system call, "low" when
                                memory was low; each "" if unknown; then module and offset of each
                                call that led there, innermost first */
    FRAME_READY = 74,   /* the sandbox is active; payload: states `mechanism=state` */
    FRAME_REFUSED = 75  /* id 0; detail: permission; value: how often since it was last reported;
                                payload: function refused, path or port or "" */
};

/* The permission that would allow an operation the sandbox refused; the detail of REFUSED. */
enum permission {
    PERMISSION_NEVER = 0, /* no permission allows it */
    PERMISSION_FILESYSTEM_READ = 1,
    PERMISSION_FILESYSTEM_WRITE = 2,
    PERMISSION_NETWORK_CONNECT = 3,
    PERMISSION_NETWORK_LISTEN = 4,
    PERMISSION_NETWORK_UDP = 5
};

/* Frames on descriptor 5. The runner sends a request and the server answers, one at a time. */
enum service_frame {
    FRAME_OPERATION =
        97,            /* request; value: id of the call that sends it, 0 = unknown; payload: plugin
                             or "" for any provider, operation, payload */
    FRAME_ANSWER = 98, /* payload: the answer, without a NUL; for KV_SET what kv_set() returns,
                             as a decimal number */
    FRAME_NO_ANSWER = 99, /* payload: empty */
    FRAME_KV_GET = 100,   /* request; value: as for OPERATION; payload: key */
    FRAME_KV_SET =
        101, /* request; value: as for OPERATION; payload: u32 seconds the value is kept, 0 =
                             no limit, then key and value; without a value, the key is removed */
    FRAME_HTTP_FETCH = 102 /* request; value: as for OPERATION; payload: request_json */
};

/* The hooks a CALL can name. */
enum hook {
    HOOK_BEFORE_REQUEST = 0,   /* arguments: request_json */
    HOOK_AFTER_RESPONSE = 1,   /* arguments: response_json */
    HOOK_PROCESS_ENDPOINT = 2, /* arguments: endpoint, method, data_json */
    HOOK_OPERATION = 3,        /* arguments: operation, payload_json */
    HOOK_COUNT = 4
};

/* Which functions and flags a library has; the value of LOADED. */
enum function_bit {
    FUNCTION_INITIALIZE = 1 << 0,
    FUNCTION_SHUTDOWN = 1 << 1,
    FUNCTION_HEALTH_CHECK = 1 << 2,
    FUNCTION_BEFORE_REQUEST = 1 << 3,
    FUNCTION_AFTER_RESPONSE = 1 << 4,
    FUNCTION_PROCESS_ENDPOINT = 1 << 5,
    FUNCTION_MANIFEST = 1 << 8,
    FUNCTION_FREE_STRING = 1 << 9,
    FUNCTION_LAST_ERROR = 1 << 10,
    FUNCTION_BIND_HOST = 1 << 11,
    FUNCTION_CALL = 1 << 12,
    FUNCTION_RECONFIGURE = 1 << 13,
    FLAG_THREAD_SAFE = 1 << 16
};

/* Why a FAILED frame was sent. */
enum failure {
    FAILURE_LOAD = 1,            /* the library could not be opened or lacks a symbol */
    FAILURE_NOT_IMPLEMENTED = 2, /* the library has no such function */
    FAILURE_REPLY_TOO_LARGE = 3, /* the returned string exceeds the limit of LOAD */
    FAILURE_ABI = 4,             /* the library needs a newer ABI, or bind_host() failed */
    FAILURE_OUT_OF_MEMORY = 5,   /* the answer could not be copied */
    FAILURE_SANDBOX = 6,         /* the sandbox cannot enforce the settings */
    FAILURE_CANCELLED = 7,       /* the server cancelled the call before it began */
    FAILURE_THREADS = 8,         /* call threads cannot be started */
    FAILURE_PLUGIN = 9           /* the plugin called fail(); payload: its message */
};

/* Exit codes of the runner, when no signal ends it. */
enum runner_exit {
    RUNNER_EXIT_OK = 0,         /* SHUTDOWN was answered, or the server closed the channel */
    RUNNER_EXIT_USAGE = 64,     /* wrong arguments */
    RUNNER_EXIT_NO_MEMORY = 71, /* not enough memory for the runner itself */
    RUNNER_EXIT_IO = 74,        /* reading or writing failed */
    RUNNER_EXIT_LOAD = 75, /* the library could not be loaded; a FAILED frame gives the reason */
    RUNNER_EXIT_PROTOCOL = 76, /* a frame broke the rules above */
    RUNNER_EXIT_ORPHANED = 77, /* the server ended before the runner began */
    RUNNER_EXIT_SANDBOX = 78 /* the sandbox could not be applied; a FAILED frame gives the reason */
};

#endif
