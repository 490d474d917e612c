/*
 * The JSON library yyjson, compiled into the file that includes this header: every function is static, so
 * that a plugin is one compiler command and exports nothing by accident.
 *
 * SPDX-License-Identifier: MIT
 *
 * A plugin that is linked with yyjson already defines BACKWORKS_EXTERNAL_YYJSON.
 */
#ifndef BACKWORKS_SHARED_JSON_H
#define BACKWORKS_SHARED_JSON_H

#ifdef BACKWORKS_EXTERNAL_YYJSON
#include <yyjson.h>
#else

/* How deeply arrays and objects may be nested. Readers of what a client sent may call themselves. */
#ifndef YYJSON_READER_DEPTH_LIMIT
#define YYJSON_READER_DEPTH_LIMIT 512
#endif
#define YYJSON_DISABLE_FILE 1
#define YYJSON_DISABLE_NON_STANDARD 1
#define yyjson_api static

/* The compiler decides what to inline. yyjson would force it, which makes a plugin compile four times longer. */
#ifndef yyjson_inline
#define yyjson_inline inline
#endif

/* yyjson.c switches warnings off; they are back behind it. */
#if defined(__clang__)
#pragma clang diagnostic push
#elif defined(__GNUC__)
#pragma GCC diagnostic push
#elif defined(_MSC_VER)
#pragma warning(push)
#endif

#include "../yyjson/yyjson.c"

#if defined(__clang__)
#pragma clang diagnostic pop
#elif defined(__GNUC__)
#pragma GCC diagnostic pop
#elif defined(_MSC_VER)
#pragma warning(pop)
#endif

#endif

/* Functions of these headers that a plugin does not use are no mistake. */
#if defined(__GNUC__)
#define BACKWORKS_UNUSED __attribute__((unused))
#else
#define BACKWORKS_UNUSED
#endif

#endif /* BACKWORKS_SHARED_JSON_H */
