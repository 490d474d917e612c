/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json/json_check.h"
#include "protocol.h"
#include "serve/request_patch.h"

enum {
    PATCH_MEMBERS_MAX = 64,
    HEADERS_MAX = 16,          /* headers a patch may set */
    REQUEST_HEADERS_MAX = 128, /* headers of a request */
    LETTER_CASE = 'a' - 'A',
    OUTERMOST = 1,
    NOT_SET = -1
};

/* A part of a text. */
typedef struct Part {
    const char *text;
    size_t length;
} Part;

/* A JSON text and the members of its objects. */
typedef struct Outline {
    const char *text;
    const JsonMember *members;
    uint32_t count;
} Outline;

/* What a patch changes. */
typedef struct Change {
    Outline patch;
    /* Indices of the members `headers` and `context`; NOT_SET when the patch does not name them. */
    int64_t headers;
    int64_t context;
    /* The headers: indices of their members, and whether the request has such a header. */
    uint32_t header[HEADERS_MAX];
    bool replaced[HEADERS_MAX];
    uint32_t header_count;
} Change;

/* Where a request document has its headers, and the text after them up to the context. */
typedef struct Places {
    Part headers;        /* with braces */
    const char *context; /* the value */
} Places;

static Part name_of(const Outline *outline, uint32_t index) {
    const JsonMember *member = &outline->members[index];

    return (Part){outline->text + member->name, member->name_end - member->name};
}

static Part value_of(const Outline *outline, uint32_t index) {
    const JsonMember *member = &outline->members[index];

    return (Part){outline->text + member->value, member->value_end - member->value};
}

static bool has_escapes(const Outline *outline, uint32_t index) {
    return (outline->members[index].shape & JSON_MEMBER_ESCAPES) != 0;
}

static bool is_text(Part part, const char *text) {
    return part.length == strlen(text) && memcmp(part.text, text, part.length) == 0;
}

static bool is_object(const Outline *outline, uint32_t index) {
    return *value_of(outline, index).text == '{';
}

static bool is_null(const Outline *outline, uint32_t index) {
    return *value_of(outline, index).text == 'n';
}

/* The first byte of valid JSON that is not white space. */
static const char *first_byte(const char *text) {
    return text + strspn(text, " \t\r\n");
}

static char lower_case(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + LETTER_CASE) : letter;
}

static bool same_header(Part name, Part other) {
    if (name.length != other.length)
        return false;
    for (size_t at = 0; at < name.length; at++)
        if (lower_case(name.text[at]) != lower_case(other.text[at]))
            return false;
    return true;
}

/* Only the server writes these headers, so it drops them from patches. The same list: response-check.ts. */
static bool frames_message(Part name) {
    static const char *const framing[] = {"connection", "content-length",    "keep-alive", "te",
                                          "trailer",    "transfer-encoding", "upgrade"};

    for (size_t index = 0; index < sizeof framing / sizeof *framing; index++)
        if (same_header(name, (Part){framing[index], strlen(framing[index])}))
            return true;
    return false;
}

/* Letters, digits, '-' and '_', with a letter first: no special name of JavaScript or HTTP is left. */
static bool is_plain_name(Part name) {
    for (size_t at = 0; at < name.length; at++) {
        char letter = lower_case(name.text[at]);
        bool is_letter = letter >= 'a' && letter <= 'z';
        bool follows = (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';

        if (!is_letter && (at == 0 || !follows))
            return false;
    }
    return name.length > 0 && !frames_message(name);
}

/* A string of printable ASCII without escapes, which is also what the server would write. */
static bool is_plain_string(Part value) {
    if (*value.text != '"')
        return false;
    for (size_t at = 1; at + 1 < value.length; at++)
        if (value.text[at] < ' ' || value.text[at] > '~' || value.text[at] == '\\')
            return false;
    return true;
}

static bool read_headers(Change *change) {
    const Outline *patch = &change->patch;
    uint32_t index = (uint32_t)change->headers;
    uint32_t stop = patch->members[index].after;

    for (index++; index < stop; index = patch->members[index].after) {
        Part name = name_of(patch, index);

        if (change->header_count == HEADERS_MAX || !is_plain_name(name) ||
            !is_plain_string(value_of(patch, index)))
            return false;
        for (uint32_t known = 0; known < change->header_count; known++)
            if (same_header(name, name_of(patch, change->header[known])))
                return false;
        change->header[change->header_count++] = index;
    }
    return true;
}

/* True when no object has two members of one name, or a name whose escapes would have to be compared. */
static bool names_differ(const Outline *outline, uint32_t first, uint32_t stop) {
    for (uint32_t index = first; index < stop; index = outline->members[index].after) {
        if (has_escapes(outline, index))
            return false;
        for (uint32_t other = first; other < index; other = outline->members[other].after) {
            Part name = name_of(outline, other);

            if (name.length == name_of(outline, index).length &&
                memcmp(name.text, name_of(outline, index).text, name.length) == 0)
                return false;
        }
        if (is_object(outline, index) &&
            !names_differ(outline, index + 1, outline->members[index].after))
            return false;
    }
    return true;
}

/* Finds what the patch changes, in the answer itself or in its only member `request`. */
static bool read_change(Change *change) {
    const Outline *patch = &change->patch;
    uint32_t index = 0;
    uint32_t stop = patch->count;

    change->headers = change->context = NOT_SET;
    change->header_count = 0;
    if (!names_differ(patch, 0, stop))
        return false;
    if (stop > 0 && patch->members[0].after == stop && is_text(name_of(patch, 0), "request")) {
        if (!is_object(patch, 0))
            return false;
        index = 1;
    }
    for (; index < stop; index = patch->members[index].after) {
        bool is_headers = is_text(name_of(patch, index), "headers");

        if (!is_object(patch, index) || (!is_headers && !is_text(name_of(patch, index), "context")))
            return false;
        *(is_headers ? &change->headers : &change->context) = index;
    }
    return change->headers == NOT_SET || read_headers(change);
}

static const char *after(const char *text, const char *beginning) {
    size_t length = strlen(beginning);

    return strncmp(text, beginning, length) == 0 ? text + length : NULL;
}

/*
 * Finds the headers and the context of a request document. Its members before the headers hold nothing but
 * strings, and a quote within a string is escaped, so that the first match is the member.
 */
static bool find_places(const char *request, Places *places) {
    static const char before[] = ",\"headers\":";
    static const char behind[] = ",\"remote\":";
    const char *headers = strstr(request, ",\"headers\":{");
    const char *end = headers != NULL ? strstr(headers, "},\"remote\":") : NULL;
    const char *remote;

    if (end == NULL)
        return false;
    headers += sizeof before - 1;
    places->headers = (Part){headers, (size_t)(end + 1 - headers)};
    remote = end + sizeof behind;
    if (*remote == '{') {
        remote = strchr(remote, '}');
        places->context = remote != NULL ? after(remote, "},\"context\":") : NULL;
    } else {
        places->context = after(remote, "null,\"context\":");
    }
    return places->context != NULL;
}

/* A text that is put together; it has room for everything that is appended. */
typedef struct Builder {
    char *text;
    size_t length;
} Builder;

static void append(Builder *builder, Part part) {
    memcpy(builder->text + builder->length, part.text, part.length);
    builder->length += part.length;
}

static void append_text(Builder *builder, const char *text) {
    append(builder, (Part){text, strlen(text)});
}

static void append_name(Builder *builder, Part name) {
    append_text(builder, "\"");
    append(builder, name);
    append_text(builder, "\":");
}

/* Appends members as the server writes them: without white space between them, and without null. */
static void append_object(Builder *builder, const Outline *outline, uint32_t first, uint32_t stop) {
    bool is_first = true;

    append_text(builder, "{");
    for (uint32_t index = first; index < stop; index = outline->members[index].after) {
        if (is_null(outline, index))
            continue;
        if (!is_first)
            append_text(builder, ",");
        is_first = false;
        append_name(builder, name_of(outline, index));
        if (is_object(outline, index))
            append_object(builder, outline, index + 1, outline->members[index].after);
        else
            append(builder, value_of(outline, index));
    }
    append_text(builder, "}");
}

static void append_header(Builder *builder, const Outline *patch, uint32_t index) {
    Part name = name_of(patch, index);
    size_t start;

    if (builder->text[builder->length - 1] != '{')
        append_text(builder, ",");
    start = builder->length;
    append_name(builder, name);
    for (size_t at = start; at < builder->length; at++)
        builder->text[at] = lower_case(builder->text[at]);
    append(builder, value_of(patch, index));
}

/* Position in the change of the header of that name, or its number of headers. */
static uint32_t find_header(const Change *change, Part name) {
    uint32_t at = 0;

    while (at < change->header_count &&
           !same_header(name, name_of(&change->patch, change->header[at])))
        at++;
    return at;
}

/* Appends the headers after the patch: a changed one stays in its place, and new ones follow. */
static bool append_headers(Builder *builder, Part headers, Change *change) {
    JsonMember members[REQUEST_HEADERS_MAX];
    Outline known = {headers.text, members, 0};
    unsigned facts = json_members(headers.text, headers.length, JSON_DEPTH_MAX, OUTERMOST, members,
                                  REQUEST_HEADERS_MAX, &known.count);

    if ((facts & JSON_VALID) == 0 || known.count > REQUEST_HEADERS_MAX)
        return false;
    memset(change->replaced, 0, sizeof change->replaced);
    append_text(builder, "{");
    for (uint32_t index = 0; index < known.count; index++) {
        Part name = name_of(&known, index);
        uint32_t at = find_header(change, name);

        /* JavaScript moves names that are numbers to the front. */
        if (name.length == 0 || (*name.text >= '0' && *name.text <= '9'))
            return false;
        if (at < change->header_count) {
            append_header(builder, &change->patch, change->header[at]);
            change->replaced[at] = true;
        } else {
            if (index > 0)
                append_text(builder, ",");
            append_name(builder, name);
            append(builder, value_of(&known, index));
        }
    }
    for (uint32_t at = 0; at < change->header_count; at++)
        if (!change->replaced[at])
            append_header(builder, &change->patch, change->header[at]);
    append_text(builder, "}");
    return true;
}

/* Replaces an empty context at the beginning of `rest`, if the patch changes it, and appends the whole rest. */
static bool append_context(Builder *builder, const char *rest, const Change *change) {
    if (change->context != NOT_SET) {
        const Outline *patch = &change->patch;
        uint32_t index = (uint32_t)change->context;

        rest = after(rest, "{}");
        if (rest == NULL)
            return false;
        append_object(builder, patch, index + 1, patch->members[index].after);
    }
    append(builder, (Part){rest, strlen(rest) + 1});
    return true;
}

/* Memory for a text of the server to which at most a whole patch is added. */
static bool begin(Builder *builder, const char *text, size_t patch_length) {
    builder->text = malloc(strlen(text) + patch_length + 2 * PATCH_MEMBERS_MAX);
    builder->length = 0;
    return builder->text != NULL;
}

static bool patch_request(Builder *builder, const char *request, Change *change) {
    Places places;
    const char *behind;

    if (!find_places(request, &places))
        return false;
    append(builder, (Part){request, (size_t)(places.headers.text - request)});
    if (!append_headers(builder, places.headers, change))
        return false;
    behind = places.headers.text + places.headers.length;
    append(builder, (Part){behind, (size_t)(places.context - behind)});
    return append_context(builder, places.context, change);
}

/* The head begins with texts that the server always writes alike, up to the context. */
static bool patch_response_head(Builder *builder, const char *head, const Change *change) {
    static const char name[] = ",\"context\":";
    const char *context = strstr(head, name);

    if (context == NULL)
        return false;
    context += sizeof name - 1;
    append(builder, (Part){head, (size_t)(context - head)});
    return append_context(builder, context, change);
}

bool request_patch(const char *patch, size_t length, const char *request, const char *response_head,
                   PatchedDocuments *patched) {
    JsonMember members[PATCH_MEMBERS_MAX];
    Change change = {.patch = {patch, members, 0}};
    Builder documents[2] = {{NULL, 0}, {NULL, 0}};
    unsigned facts;
    bool is_done;

    if (length > RUNNER_PATCH_MAX)
        return false;
    facts = json_members(patch, length, JSON_DEPTH_MAX, JSON_DEPTH_MAX, members, PATCH_MEMBERS_MAX,
                         &change.patch.count);
    if ((facts & (JSON_VALID | JSON_HAS_PROTOTYPE)) != JSON_VALID ||
        change.patch.count > PATCH_MEMBERS_MAX || *first_byte(patch) != '{' ||
        !read_change(&change))
        return false;
    is_done =
        begin(&documents[0], request, length) && patch_request(&documents[0], request, &change) &&
        (response_head == NULL || (begin(&documents[1], response_head, length) &&
                                   patch_response_head(&documents[1], response_head, &change)));
    if (is_done) {
        *patched = (PatchedDocuments){documents[0].text, documents[1].text};
    } else {
        free(documents[0].text);
        free(documents[1].text);
    }
    return is_done;
}
