/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "json/json_check.h"
#include "json/json_string.h"

/* Marks a level whose current member has not begun a value yet. */
#define NO_MEMBER UINT32_MAX

/* The members found so far. */
typedef struct Listing {
    const unsigned char *text;
    JsonMember *members;
    uint32_t capacity;
    uint32_t count;
    /* Members of objects below this level are not listed. */
    unsigned levels;
    /* Number of arrays around the current position. Members inside an array are not listed. */
    unsigned arrays;
    /* By level, the index of the member whose value is being read. */
    uint32_t open[JSON_CHECK_DEPTH_MAX];
} Listing;

/* A text and the position in it. Every function below moves `at`, never beyond `end`. */
typedef struct Reader {
    const unsigned char *at;
    const unsigned char *end;
    unsigned facts;
    unsigned depth;
    unsigned depth_max;
    /* By level, the byte that closes the array or object. */
    unsigned char closing[JSON_CHECK_DEPTH_MAX];
    /* Where members are listed; NULL to list none. */
    Listing *listing;
} Reader;

static bool is_space(unsigned char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void skip_space(Reader *reader) {
    static const char indentation[] = "        ";
    const ptrdiff_t width = sizeof indentation - 1;

    while (reader->at < reader->end && is_space(*reader->at)) {
        reader->at++;
        while (reader->end - reader->at >= width &&
               memcmp(reader->at, indentation, sizeof indentation - 1) == 0)
            reader->at += width;
    }
}

/* The next byte, or 0 at the end. JSON allows no 0 byte anywhere. */
static unsigned char peek(const Reader *reader) {
    return reader->at < reader->end ? *reader->at : 0;
}

/* Reads one byte if it equals `byte`. */
static bool accept(Reader *reader, unsigned char byte) {
    if (peek(reader) != byte)
        return false;
    reader->at++;
    return true;
}

/* Reads a string whose opening quote has been read. */
static bool skip_string(Reader *reader, bool *escapes) {
    const unsigned char *quote = json_string_end(reader->at, reader->end, escapes);

    if (quote == NULL)
        return false;
    reader->at = quote + 1;
    return true;
}

static bool skip_digits(Reader *reader) {
    const unsigned char *first = reader->at;

    while (peek(reader) >= '0' && peek(reader) <= '9')
        reader->at++;
    return reader->at > first;
}

static bool skip_number(Reader *reader) {
    (void)accept(reader, '-');
    if (!accept(reader, '0') && !skip_digits(reader))
        return false;
    if (accept(reader, '.') && !skip_digits(reader))
        return false;
    if (!accept(reader, 'e') && !accept(reader, 'E'))
        return true;
    if (!accept(reader, '+'))
        (void)accept(reader, '-');
    return skip_digits(reader);
}

static bool skip_word(Reader *reader, const char *word) {
    size_t length = strlen(word);

    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool skip_scalar(Reader *reader) {
    bool escapes;

    switch (peek(reader)) {
    case '"':
        reader->at++;
        return skip_string(reader, &escapes);
    case 't':
        return skip_word(reader, "true");
    case 'f':
        return skip_word(reader, "false");
    case 'n':
        return skip_word(reader, "null");
    default:
        return skip_number(reader);
    }
}

/* Records the facts that depend on a member's name: the bytes [name, end) between its quotes. */
static void note_name(Reader *reader, const unsigned char *name, const unsigned char *end,
                      bool escapes) {
    size_t length = (size_t)(end - name);

    if ((escapes || length == 9) && json_string_spells(name, end, "__proto__"))
        reader->facts |= JSON_HAS_PROTOTYPE;
    if (reader->depth > 1)
        return;
    if ((escapes || length == 6) && json_string_spells(name, end, "status"))
        reader->facts |= JSON_HAS_STATUS;
    if ((escapes || length == 4) && json_string_spells(name, end, "body"))
        reader->facts |= JSON_HAS_BODY;
}

static uint32_t offset_of(const Reader *reader, const unsigned char *at) {
    return (uint32_t)(at - reader->listing->text);
}

/* The member at an index; NULL when the table was too small for it. */
static JsonMember *member_at(const Listing *listing, uint32_t index) {
    return index < listing->capacity ? &listing->members[index] : NULL;
}

/* Records that a member begins. Its value is read next. */
static void begin_member(Reader *reader, const unsigned char *name, const unsigned char *end,
                         bool escapes) {
    Listing *listing = reader->listing;
    JsonMember *member;

    if (listing->arrays > 0 || reader->depth > listing->levels)
        return;
    listing->open[reader->depth - 1] = listing->count;
    member = member_at(listing, listing->count++);
    if (member == NULL)
        return;
    member->name = offset_of(reader, name);
    member->name_end = offset_of(reader, end);
    member->value = offset_of(reader, reader->at);
    member->shape = reader->depth << 1 | (escapes ? JSON_MEMBER_ESCAPES : 0u);
}

/* Records that a value has ended, if it is the value of a member. */
static void end_member(Reader *reader) {
    Listing *listing = reader->listing;
    JsonMember *member;

    if (listing->arrays > 0 || reader->depth == 0 || reader->depth > listing->levels ||
        listing->open[reader->depth - 1] == NO_MEMBER)
        return;
    member = member_at(listing, listing->open[reader->depth - 1]);
    listing->open[reader->depth - 1] = NO_MEMBER;
    if (member == NULL)
        return;
    member->value_end = offset_of(reader, reader->at);
    member->after = listing->count;
}

/* Reads a member's name and colon, up to its value. */
static bool skip_name(Reader *reader) {
    const unsigned char *name;
    const unsigned char *end;
    bool escapes;

    skip_space(reader);
    if (!accept(reader, '"'))
        return false;
    name = reader->at;
    if (!skip_string(reader, &escapes))
        return false;
    end = reader->at - 1;
    note_name(reader, name, end, escapes);
    skip_space(reader);
    if (!accept(reader, ':'))
        return false;
    skip_space(reader);
    if (reader->listing != NULL)
        begin_member(reader, name, end, escapes);
    return true;
}

/* Reads an opening bracket. False when the text nests too deep. */
static bool open_level(Reader *reader, unsigned char closing) {
    if (reader->depth == reader->depth_max) {
        reader->facts = JSON_TOO_DEEP;
        return false;
    }
    if (reader->listing != NULL) {
        reader->listing->arrays += closing == ']' ? 1 : 0;
        reader->listing->open[reader->depth] = NO_MEMBER;
    }
    reader->closing[reader->depth++] = closing;
    reader->at++;
    skip_space(reader);
    return true;
}

/* Reads a value up to the first complete one: a scalar, or an empty array or object. */
static bool begin_value(Reader *reader) {
    for (;;) {
        unsigned char closing;

        skip_space(reader);
        if (peek(reader) != '{' && peek(reader) != '[')
            return skip_scalar(reader);
        closing = peek(reader) == '{' ? '}' : ']';
        if (!open_level(reader, closing))
            return false;
        /* end_value() reads the closing bracket. */
        if (peek(reader) == closing)
            return true;
        if (closing == '}' && !skip_name(reader))
            return false;
    }
}

/* Reads the bracket that closes an array or object. */
static bool close_level(Reader *reader) {
    unsigned char closing = reader->closing[reader->depth - 1];

    if (!accept(reader, closing))
        return false;
    reader->depth--;
    if (reader->listing != NULL)
        reader->listing->arrays -= closing == ']' ? 1 : 0;
    return true;
}

/* Reads what follows a value, up to the next value. False at the end of the text and at an error. */
static bool end_value(Reader *reader) {
    for (;;) {
        if (reader->listing != NULL)
            end_member(reader);
        skip_space(reader);
        if (reader->depth == 0)
            return false;
        if (accept(reader, ','))
            return reader->closing[reader->depth - 1] == ']' || skip_name(reader);
        if (!close_level(reader))
            return false;
    }
}

static unsigned read_text(const char *text, size_t length, unsigned depth_max, Listing *listing) {
    Reader reader;
    bool valid;

    if (length == 0)
        return 0;
    reader.at = (const unsigned char *)text;
    reader.end = reader.at + length;
    reader.facts = JSON_VALID;
    reader.depth = 0;
    reader.depth_max = depth_max < JSON_CHECK_DEPTH_MAX ? depth_max : JSON_CHECK_DEPTH_MAX;
    reader.listing = listing;
    do
        valid = begin_value(&reader);
    while (valid && end_value(&reader));
    valid = valid && reader.depth == 0 && reader.at == reader.end;
    return valid ? reader.facts : reader.facts & JSON_TOO_DEEP;
}

unsigned json_check(const char *text, size_t length, unsigned depth_max) {
    return read_text(text, length, depth_max, NULL);
}

unsigned json_members(const char *text, size_t length, unsigned depth_max, unsigned levels,
                      JsonMember *members, uint32_t capacity, uint32_t *count) {
    Listing listing;
    unsigned facts;

    listing.text = (const unsigned char *)text;
    listing.members = members;
    listing.capacity = capacity;
    listing.count = 0;
    listing.levels = levels;
    listing.arrays = 0;
    facts = length > UINT32_MAX ? 0 : read_text(text, length, depth_max, &listing);
    *count = (facts & JSON_VALID) != 0 ? listing.count : 0;
    return facts;
}
