/*
 * Finds the members of a document that the server passed in. The server has checked that it is JSON, so the
 * members a plugin does not ask for are passed over, not read. Every function stops at the end of the text,
 * whatever the text is.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_SHARED_DOCUMENT_H
#define BACKWORKS_SHARED_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json.h"

/* Part of a text. `at` is NULL when there is none. */
typedef struct BackworksSlice {
    const char *at;
    size_t size;
} BackworksSlice;

static inline BackworksSlice backworks_slice(const char *at, size_t size) {
    BackworksSlice slice;
    slice.at = at;
    slice.size = size;
    return slice;
}

static inline const char *backworks_skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    return at;
}

/* `at` is behind the opening quotation mark. Returns the closing one, or `end`. */
static inline const char *backworks_string_end(const char *at, const char *end) {
    const char *start = at;
    while (at < end) {
        const char *quote = (const char *)memchr(at, '"', (size_t)(end - at));
        if (quote == NULL) {
            return end;
        }
        size_t backslashes = 0;
        while (quote - backslashes > start && quote[-1 - (ptrdiff_t)backslashes] == '\\') {
            backslashes++;
        }
        if (backslashes % 2 == 0) {
            return quote;
        }
        start = at = quote + 1;
    }
    return end;
}

/* Returns the position behind the value at `at`. */
static BACKWORKS_UNUSED const char *backworks_skip_value(const char *at, const char *end) {
    size_t depth = 0;
    for (; at < end; at++) {
        switch (*at) {
        case '"':
            at = backworks_string_end(at + 1, end);
            if (at == end) {
                return end;
            }
            if (depth == 0) {
                return at + 1;
            }
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth == 0) {
                return at;
            }
            if (--depth == 0) {
                return at + 1;
            }
            break;
        case ',':
        case ' ':
        case '\n':
        case '\t':
        case '\r':
            if (depth == 0) {
                return at;
            }
            break;
        default:
            break;
        }
    }
    return end;
}

/*
 * Reads one member of an object after another. `*at` begins at the object and moves on. False at the end.
 * The name is as written: the server writes the names of its documents without escapes.
 */
static BACKWORKS_UNUSED bool backworks_next_member(const char **at, const char *end,
                                                   BackworksSlice *name, BackworksSlice *value) {
    const char *here = backworks_skip_space(*at, end);
    if (here < end && (*here == '{' || *here == ',')) {
        here = backworks_skip_space(here + 1, end);
    }
    if (here == end || *here != '"') {
        return false;
    }
    name->at = here + 1;
    here = backworks_string_end(name->at, end);
    name->size = (size_t)(here - name->at);
    if (here < end) {
        here = backworks_skip_space(here + 1, end);
    }
    if (here == end || *here != ':') {
        return false;
    }
    value->at = backworks_skip_space(here + 1, end);
    here = backworks_skip_value(value->at, end);
    value->size = (size_t)(here - value->at);
    *at = backworks_skip_space(here, end);
    return value->size > 0;
}

/* The member of this name, as written; the last one, when several have it. */
static BACKWORKS_UNUSED BackworksSlice backworks_find_member(BackworksSlice object,
                                                             const char *wanted) {
    BackworksSlice name, value, found = backworks_slice(NULL, 0);
    const char *at = object.at, *end = object.at + object.size;
    size_t size = strlen(wanted);
    while (backworks_next_member(&at, end, &name, &value)) {
        if (name.size == size && memcmp(name.at, wanted, size) == 0) {
            found = value;
        }
    }
    return found;
}

static inline bool backworks_slice_is(BackworksSlice slice, const char *text) {
    return slice.at != NULL && slice.size == strlen(text) &&
           memcmp(slice.at, text, slice.size) == 0;
}

/* The member of an object; the last one, when several have the name, as in the server. NULL without one. */
static BACKWORKS_UNUSED yyjson_val *backworks_get(yyjson_val *object, const char *name) {
    yyjson_val *key, *found = NULL;
    size_t index, count, size = strlen(name);
    yyjson_val *value;
    if (!yyjson_is_obj(object)) {
        return NULL;
    }
    yyjson_obj_foreach(object, index, count, key, value) {
        if (yyjson_equals_strn(key, name, size)) {
            found = value;
        }
    }
    return found;
}

/*
 * A document, with the places of its members and the values of those that were read. `at` and `memory` are
 * set by whoever makes one; the rest is 0.
 */
typedef struct BackworksDocument {
    BackworksSlice text;
    const yyjson_alc *memory;
    yyjson_read_flag flags;
    bool indexed;
    size_t count; /* of members; those behind the table are looked up in the text */
    struct {
        BackworksSlice name;
        BackworksSlice text;
        yyjson_val *value;
    } members[16];
} BackworksDocument;

#define BACKWORKS_DOCUMENT_MEMBERS 16

static BACKWORKS_UNUSED void backworks_document_index(BackworksDocument *document) {
    BackworksSlice name, value;
    const char *at = document->text.at == NULL ? "" : document->text.at;
    const char *end = at + document->text.size;
    document->indexed = true;
    while (backworks_next_member(&at, end, &name, &value)) {
        if (document->count < BACKWORKS_DOCUMENT_MEMBERS) {
            document->members[document->count].name = name;
            document->members[document->count].text = value;
            document->members[document->count].value = NULL;
        }
        document->count++;
    }
}

/* The member as it is written. */
static BACKWORKS_UNUSED BackworksSlice backworks_document_text(BackworksDocument *document,
                                                               const char *name) {
    if (!document->indexed) {
        backworks_document_index(document);
    }
    if (document->count > BACKWORKS_DOCUMENT_MEMBERS) {
        return backworks_find_member(document->text, name);
    }
    for (size_t i = document->count; i > 0; i--) {
        if (backworks_slice_is(document->members[i - 1].name, name)) {
            return document->members[i - 1].text;
        }
    }
    return backworks_slice(NULL, 0);
}

/* The member as a value, read once. NULL without it, and when it is nested too deeply. */
static BACKWORKS_UNUSED yyjson_val *backworks_document_value(BackworksDocument *document,
                                                             const char *name) {
    BackworksSlice text = backworks_document_text(document, name);
    if (text.at == NULL) {
        return NULL;
    }
    size_t known = 0;
    while (known < BACKWORKS_DOCUMENT_MEMBERS && known < document->count &&
           document->members[known].text.at != text.at) {
        known++;
    }
    bool kept = known < BACKWORKS_DOCUMENT_MEMBERS && known < document->count;
    if (kept && document->members[known].value != NULL) {
        return document->members[known].value;
    }
    yyjson_val *value = yyjson_doc_get_root(yyjson_read_opts(
        (char *)(uintptr_t)text.at, text.size, document->flags, document->memory, NULL));
    if (kept) {
        document->members[known].value = value;
    }
    return value;
}

#endif /* BACKWORKS_SHARED_DOCUMENT_H */
