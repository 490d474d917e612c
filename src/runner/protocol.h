/*
 * The runner protocol, version 3.
 *
 * The server (src/native/protocol/protocol.ts) and the runner (src/runner/protocol.h) talk over two pipes:
 * the runner reads descriptor 3 and writes descriptor 6. Where descriptor 3 is no pipe it is a stream
 * socket that carries both. Both sides send frames: a header of 16 bytes, then `length` bytes of
 * payload. Numbers are little-endian.
 *
 *   offset 0   u32  length    payload bytes, at most FRAME_PAYLOAD_MAX
 *   offset 4   u32  id        the call's number, chosen by the server, echoed by the answer;
 *                             0 on frames that belong to no call
 *   offset 8   u8   type      a frame type, below
 *   offset 9   u8   detail    hook, steps, flags, failure kind or log level, as the type says
 *   offset 10  u16  reserved  0
 *   offset 12  i32  value     version, status, a duration or a bit mask, as the type says
 *
 * Each side's first frame is HELLO with the protocol version; anything else first, another version,
 * an unknown type, a wrong length or a wrong state ends the connection and the runner. The server
 * may send further frames behind its HELLO without waiting. Frames are answered in the order they
 * were sent; with threads, calls as they are done, and every other frame after the calls before it.
 * Strings in a payload each end with a NUL byte, except the text of REPLY, FAILED, LOG and METRIC,
 * which is the rest of the payload. Neither side parses JSON to speak this protocol.
 *
 * A BATCH asks several hooks of one request, one after another: before_request, process_endpoint and
 * after_response, of which its detail names two or three in a row. Each is answered by a frame of its
 * own. The next one is asked only if the request was left unchanged (EMPTY), and if the endpoint's
 * answer is JSON that goes out as it is (PLAIN), which then completes the response document; MORE on an
 * answer says that the next one is being asked.
 *
 *   server ─▶ HELLO  [SANDBOX]  LOAD  INITIALIZE  (CALL | BATCH | HEALTH_CHECK | RECONFIGURE)*  SHUTDOWN
 *   runner ─▶ HELLO  [READY]  LOADED  STATUS  (REPLY | EMPTY | STATUS | FAILED | LOG | METRIC | REFUSED)*  STATUS
 *
 * Descriptor 5 is a socket with the same frames, for what the plugin asks of the server while
 * it works: the runner sends a request and reads its answer, with the same id, before it sends another.
 * A request names the call whose thread asks, where there are threads.
 *
 * Without SANDBOX nothing restricts the library and nothing reports its crashes. With it, CRASHED may
 * come at any moment as the runner's last frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_PROTOCOL_H
#define BACKWORKS_RUNNER_PROTOCOL_H

#include <stdint.h>

enum {
    PROTOCOL_VERSION = 3,
    PROTOCOL_DESCRIPTOR = 3,
    SHARED_DESCRIPTOR = 4,
    SERVICES_DESCRIPTOR = 5,
    ANSWERS_DESCRIPTOR = 6,
    LIBRARY_DESCRIPTOR = 7,
    FRAME_HEADER_SIZE = 16,
    FRAME_PAYLOAD_MAX = 16 * 1024 * 1024,
    LOG_TEXT_MAX = 8 * 1024,
    THREADS_MAX = 64,
    JSON_DEPTH_MAX = 100
};

/*
 * Memory both sides share, descriptor 4. The runner writes, the server reads when the process is gone;
 * only the log rate and the cancelled slots go the other way. Byte n of everything the runner has ever sent lies at
 * ring[n % ANSWER_RING_SIZE] until it has left for the server. Each thread that enters functions has a
 * slot; slot 0 is the serving thread's. What a slot names was entered, and may have been answered since.
 */
enum shared_page {
    SHARED_BEGUN = 0,     /* u32: id of the newest frame whose function was entered */
    SHARED_PRODUCED = 8,  /* u64: bytes ever put into the ring or written past it */
    SHARED_LOG_RATE = 24, /* u32: bytes of LOG a second that may leave the runner; 0 all */
    SHARED_ENDED_BY = 28, /* u32: id of the call whose thread ended the process; 0 unknown */
    SHARED_RUNNING = 64,  /* slots: u32 id of a frame, u32 thread id, u64 when its function was
                                entered, CLOCK_MONOTONIC in microseconds */
    RUNNING_SLOT_SIZE = 16,
    SHARED_CANCELLED = 4096, /* u32 slots: an id at id % CANCEL_SLOTS is not to be begun */
    CANCEL_SLOTS = 4096,
    SHARED_RING = 20480,
    ANSWER_RING_SIZE = 65536,
    SHARED_SIZE = 86016
};

/* Frames from the server. */
enum server_frame {
    FRAME_HELLO = 1,        /* value: protocol version; payload: empty */
    FRAME_LOAD = 2,         /* detail: where it is loaded from; value: longest reply in bytes;
                               payload: path of the library */
    FRAME_INITIALIZE = 3,   /* detail: threads that run CALLs, 0 for the serving one; value: time
                               limit in ms, 0 none; payload: configuration */
    FRAME_CALL = 4,         /* detail: hook; value: time left in ms, -1 none; payload: arguments */
    FRAME_HEALTH_CHECK = 5, /* payload: empty */
    FRAME_RECONFIGURE = 6,  /* payload: configuration */
    FRAME_SHUTDOWN = 7,     /* payload: empty; the runner answers STATUS and exits */
    FRAME_SANDBOX = 8,      /* payload: settings `key=value`, see sandbox_policy.h */
    FRAME_BATCH = 9 /* detail: steps; value: time left in ms for each of them, -1 none; payload:
                               request_json, endpoint, method, and with after_response the response
                               document up to its body */
};

/*
 * Where a library is loaded from; the detail of LOAD. The server has compared the bytes of descriptor 7
 * with a digest, so that a file which is put in its place afterwards is not loaded.
 */
enum load_from {
    LOAD_PATH = 0,       /* whatever lies at the path */
    LOAD_DESCRIPTOR = 1, /* descriptor 7; the path is its name */
    LOAD_SAME_FILE = 2   /* the path, which must lead to descriptor 7: the loader looks for other
                            libraries relative to it */
};

/* The hooks a BATCH asks, in this order; the detail of BATCH. */
enum batch_step {
    BATCH_BEFORE_REQUEST = 1 << 0,
    BATCH_PROCESS_ENDPOINT = 1 << 1,
    BATCH_AFTER_RESPONSE = 1 << 2
};

/* The detail of REPLY and EMPTY. */
enum answer_flag {
    ANSWER_MORE = 1 << 0, /* the answer of the next step follows */
    ANSWER_PLAIN = 1 << 1 /* process_endpoint's answer is valid JSON and no response of its own */
};

/* Frames from the runner. */
enum runner_frame {
    FRAME_RUNNER_HELLO = 65, /* value: protocol version; payload: empty */
    FRAME_LOADED = 66, /* value: FUNCTION_* bits; payload: name, version, description, manifest */
    FRAME_STATUS = 67, /* value: the function's return; payload: last_error text or empty */
    FRAME_REPLY =
        68, /* detail: flags; value: nanoseconds the function ran, at most INT32_MAX: the runner's
                                word, for reports alone; payload: the string it returned, without its
                                NUL */
    FRAME_EMPTY = 69,   /* detail and value: as for REPLY; the hook returned NULL */
    FRAME_FAILED = 70,  /* detail: failure; payload: why */
    FRAME_LOG = 71,     /* detail: log level; id 0; value: bytes that were dropped before it;
                                payload: text, empty for no line when bytes were dropped */
    FRAME_METRIC = 72,  /* id 0; payload: 8 bytes IEEE 754 delta, then the name */
    FRAME_CRASHED = 73, /* id 0; value: signal; payload: address touched, module, offset in it,
                                phase, number and name of a forbidden system call, "low"
                                when memory was; "" if unknown */
    FRAME_READY = 74,   /* the sandbox is in force; payload: states `mechanism=state` */
    FRAME_REFUSED = 75  /* id 0; detail: permission; value: how often since it was last told;
                                payload: function refused, path or port or "" */
};

/* What would allow what the sandbox has refused; the detail of REFUSED. */
enum permission {
    PERMISSION_NEVER = 0, /* no permission does */
    PERMISSION_FILESYSTEM_READ = 1,
    PERMISSION_FILESYSTEM_WRITE = 2,
    PERMISSION_NETWORK_CONNECT = 3,
    PERMISSION_NETWORK_LISTEN = 4,
    PERMISSION_NETWORK_UDP = 5
};

/* Frames on descriptor 5, where the runner asks and the server answers, one at a time. */
enum service_frame {
    FRAME_OPERATION = 97, /* asks; value: id of the call that asks, 0 unknown; payload: plugin or ""
                             for whoever provides it, operation, payload */
    FRAME_ANSWER = 98,    /* payload: the answer, without a NUL */
    FRAME_NO_ANSWER = 99  /* payload: empty */
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
    FAILURE_ABI = 4,             /* the library needs a newer ABI, or refused bind_host */
    FAILURE_OUT_OF_MEMORY = 5,   /* the answer could not be copied */
    FAILURE_SANDBOX = 6,         /* the sandbox cannot be what the settings ask for */
    FAILURE_CANCELLED = 7,       /* the server cancelled the call before it began */
    FAILURE_THREADS = 8,         /* threads for calls cannot be started */
    FAILURE_PLUGIN = 9           /* the plugin called fail(); payload: its message */
};

/* How the runner ends when no signal ends it. */
enum runner_exit {
    RUNNER_EXIT_OK = 0,         /* shut down as asked, or the server closed the calls */
    RUNNER_EXIT_USAGE = 64,     /* wrong arguments */
    RUNNER_EXIT_NO_MEMORY = 71, /* not enough memory for the runner itself */
    RUNNER_EXIT_IO = 74,        /* reading or writing failed */
    RUNNER_EXIT_LOAD = 75,      /* the library could not be loaded; a FAILED frame said why */
    RUNNER_EXIT_PROTOCOL = 76,  /* a frame broke the rules above */
    RUNNER_EXIT_ORPHANED = 77,  /* the server was gone before the runner began */
    RUNNER_EXIT_SANDBOX = 78    /* no sandbox as asked for; a FAILED frame said why */
};

#endif
