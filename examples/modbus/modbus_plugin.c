/* A Modbus TCP master over HTTP: GET /points, GET /points/{name}[?fresh=true], PUT /points/{name} {"value": …}. */
#include <backworks_sdk.h>

#include "config_manifest.h"
#include "master.h"
#include "point_json.h"
#include "poller.h"
#include "readings.h"
#include "settings.h"

static Settings settings;
static Master master;
static Readings readings;
static Poller poller;

/* ---- Life ------------------------------------------------------------------------------------------------ */

static void shut_down(BackworksCall *call) {
    (void)call;
    master_stop(&master);
    poller_stop(&poller);
    readings_destroy(&readings);
    master_destroy(&master);
    settings_free(&settings);
}

static void initialize(BackworksCall *call) {
    if (!settings_read(call, &settings)) {
        settings_free(&settings);
        return;
    }
    if (!master_init(&master, settings.master)) {
        backworks_fail(call, "config: host must be an IPv4 or IPv6 address, and \"%s\" is not",
                       settings.master.host);
        settings_free(&settings);
        return;
    }
    poller = (Poller){.master = &master,
                      .readings = &readings,
                      .points = settings.points,
                      .count = settings.count,
                      .interval_ms = settings.poll_interval_ms};
    if (!readings_init(&readings, settings.count)) {
        backworks_fail(call, "out of memory");
    } else if (!poller_start(&poller)) {
        backworks_fail(call, "the thread that polls cannot start; see limits.threads");
    }
}

static void health_check(BackworksCall *call) {
    Outcome state = master_state(&master);
    if (state.kind != OUTCOME_ANSWERED) {
        backworks_degraded(call, "no connection to %s port %u: %s", settings.master.host,
                           (unsigned)settings.master.port, state.reason);
    }
}

/* ---- Requests -------------------------------------------------------------------------------------------- */

/* A moment before the call's deadline, with a fifth of the time left for the answer. */
static int64_t moment_to_answer(void) {
    int64_t left = backworks_deadline_left_ms();
    return monotonic_ms() + (left < 0 ? 2 * (int64_t)settings.master.timeout_ms : left * 4 / 5);
}

static const char *title(int status) {
    return status == 502   ? "Bad Gateway"
           : status == 503 ? "Service Unavailable"
                           : "Gateway Timeout";
}

/* A problem document for a request that the device did not carry out, as far as is known. */
static void respond_outcome(BackworksCall *call, const Outcome *result, const char *hint) {
    static const int statuses[] = {
        [OUTCOME_EXCEPTION] = 502,
        [OUTCOME_REFUSED_REPLY] = 502,
        [OUTCOME_NOT_CONNECTED] = 503,
        [OUTCOME_NO_REPLY] = 504,
    };
    int status = statuses[result->kind];
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, body, "type", "about:blank");
    yyjson_mut_obj_add_str(json, body, "title", title(status));
    yyjson_mut_obj_add_int(json, body, "status", status);
    yyjson_mut_obj_add_str(json, body, "detail",
                           backworks_format(call, "%s%s", result->reason, hint));
    if (result->kind == OUTCOME_EXCEPTION) {
        yyjson_mut_val *exception = yyjson_mut_obj_add_obj(json, body, "exception");
        yyjson_mut_obj_add_int(json, exception, "code", result->exception);
        yyjson_mut_obj_add_str(json, exception, "name", modbus_exception_name(result->exception));
    }
    backworks_respond_json(call, status, body);
    backworks_response_header(call, "content-type", "application/problem+json");
}

static void list_points(BackworksCall *call) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_obj_add_bool(json, body, "connected",
                            master_state(&master).kind == OUTCOME_ANSWERED);
    yyjson_mut_val *points = yyjson_mut_obj_add_arr(json, body, "points");
    for (size_t index = 0; index < settings.count; index++) {
        Reading reading = readings_get(&readings, index);
        yyjson_mut_arr_append(
            points, point_reading_json(call, &settings.points[index], &reading, monotonic_ms()));
    }
    backworks_respond_json(call, 200, body);
}

static void read_point(BackworksCall *call, size_t index) {
    const char *fresh = backworks_query(call, "fresh");
    if (fresh != NULL && strcmp(fresh, "true") != 0 && strcmp(fresh, "false") != 0) {
        backworks_respond_problem(call, 400, "Bad Request", "fresh is true or false");
        return;
    }
    if (fresh != NULL && strcmp(fresh, "true") == 0) {
        Outcome result = poller_read(&poller, index, MASTER_URGENT, moment_to_answer());
        if (result.kind != OUTCOME_ANSWERED) {
            respond_outcome(call, &result, "");
            return;
        }
    }
    Reading reading = readings_get(&readings, index);
    if (!reading.known) {
        respond_outcome(call, &reading.outcome, "");
        return;
    }
    backworks_respond_json(
        call, 200, point_reading_json(call, &settings.points[index], &reading, monotonic_ms()));
}

static void respond_written(BackworksCall *call, const Point *point, const uint8_t *data) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, body, "name", point->name);
    yyjson_mut_obj_add_val(json, body, "written", point_value_json(call, point, data));
    if (point->unit != NULL) {
        yyjson_mut_obj_add_str(json, body, "unit", point->unit);
    }
    backworks_respond_json(call, 200, body);
}

static void write_point(BackworksCall *call, const Point *point) {
    if (point->write == POINT_READ_ONLY) {
        backworks_respond_problem(call, 405, "Method Not Allowed",
                                  "the configuration does not allow writing this point");
        backworks_response_header(call, "allow", "GET");
        return;
    }
    yyjson_val *value = backworks_get(backworks_body_json(call), "value");
    if (value == NULL) {
        backworks_respond_problem(call, 400, "Bad Request",
                                  "the body must be JSON such as {\"value\": 1}");
        return;
    }
    ModbusRequest request = point_write_request(point);
    const char *mistake = point_store_json(call, point, value, request.data);
    if (mistake != NULL) {
        backworks_respond_problem(call, 400, "Bad Request", mistake);
        return;
    }
    uint8_t unused[MODBUS_DATA_MAX];
    Outcome result = master_transact(&master, &request, MASTER_URGENT, moment_to_answer(), unused);
    if (result.kind == OUTCOME_ANSWERED) {
        poller_wake(&poller);
        respond_written(call, point, request.data);
    } else {
        bool unknown = result.kind != OUTCOME_EXCEPTION && result.sent;
        respond_outcome(call, &result, unknown ? "; the value may have been written" : "");
    }
}

static void process_endpoint(BackworksCall *call) {
    const char *name = backworks_param(call, "name"), *method = backworks_method(call);
    if (name == NULL) {
        list_points(call);
        return;
    }
    for (size_t index = 0; index < settings.count; index++) {
        if (strcmp(settings.points[index].name, name) == 0) {
            if (method != NULL && strcmp(method, "PUT") == 0) {
                write_point(call, &settings.points[index]);
            } else {
                read_point(call, index);
            }
            return;
        }
    }
    backworks_respond_problem(call, 404, "Not Found",
                              "no point has this name; GET /points lists them");
}

BACKWORKS_PLUGIN(.name = "modbus", .version = "1.0.0",
                 .description = "Reads and writes the points of a Modbus TCP device.",
                 .initialize = initialize, .shutdown = shut_down, .health_check = health_check,
                 .process_endpoint = process_endpoint, .thread_safe = true,
                 .manifest = config_manifest)
