/*
 * Memory of one call: taken piece by piece, given back all at once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_SHARED_ARENA_H
#define BACKWORKS_SHARED_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* The head of a piece of the heap. */
typedef union BackworksBlock {
    union BackworksBlock *next;
    max_align_t alignment;
} BackworksBlock;

typedef struct BackworksArena {
    BackworksBlock *blocks;
    char *at;   /* where the next piece begins */
    char *end;  /* where the block ends */
    char *last; /* the piece that was taken last; it can grow in place */
    union {
        max_align_t alignment;
        char bytes[2048]; /* enough for most calls, without malloc() */
    } first;
} BackworksArena;

static inline void backworks_arena_begin(BackworksArena *arena) {
    arena->blocks = NULL;
    arena->at = arena->first.bytes;
    arena->end = arena->first.bytes + sizeof arena->first.bytes;
    arena->last = NULL;
}

static inline void backworks_arena_end(BackworksArena *arena) {
    while (arena->blocks != NULL) {
        BackworksBlock *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

static inline size_t backworks_arena_round(size_t size) {
    const size_t alignment = sizeof(max_align_t);
    return size == 0 ? alignment : (size + alignment - 1) / alignment * alignment;
}

/* NULL when there is no memory. Aligned for every type. */
static BACKWORKS_UNUSED void *backworks_arena_take(BackworksArena *arena, size_t size) {
    const size_t block_size = 16384;
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = backworks_arena_round(size);
    if ((size_t)(arena->end - arena->at) < size) {
        size_t room = size > block_size / 4 ? size : block_size;
        BackworksBlock *block = (BackworksBlock *)malloc(sizeof(BackworksBlock) + room);
        if (block == NULL) {
            return NULL;
        }
        block->next = arena->blocks;
        arena->blocks = block;
        arena->at = (char *)(block + 1);
        arena->end = arena->at + room;
    }
    arena->last = arena->at;
    arena->at += size;
    return arena->last;
}

/* NULL when there is no memory; the piece is then as it was. */
static BACKWORKS_UNUSED void *backworks_arena_resize(BackworksArena *arena, void *piece,
                                                     size_t old_size, size_t size) {
    if (size <= old_size) {
        return piece;
    }
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    bool is_last = piece == (void *)arena->last;
    if (is_last && (size_t)(arena->end - arena->last) >= backworks_arena_round(size)) {
        arena->at = arena->last + backworks_arena_round(size);
        return piece;
    }
    if (is_last && arena->blocks != NULL && piece == (void *)(arena->blocks + 1)) {
        /* Alone in its block, as large pieces are: the system may grow it without copying. */
        size_t room = backworks_arena_round(size);
        BackworksBlock *block =
            (BackworksBlock *)realloc(arena->blocks, sizeof(BackworksBlock) + room);
        if (block == NULL) {
            return NULL;
        }
        arena->blocks = block;
        arena->last = (char *)(block + 1);
        arena->at = arena->end = arena->last + room;
        return arena->last;
    }
    void *moved = backworks_arena_take(arena, size);
    if (moved != NULL) {
        memcpy(moved, piece, old_size);
    }
    return moved;
}

#endif /* BACKWORKS_SHARED_ARENA_H */
