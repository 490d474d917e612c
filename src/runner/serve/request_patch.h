/*
 * Applies answers of before_request to the documents of a batch, so that the batch can go on.
 *
 * The server applies every patch as well, and its documents count. The runner only has to give the same
 * plugin's next hooks the same texts. It therefore applies what it can copy without interpreting it, and
 * leaves every other patch to the server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_REQUEST_PATCH_H
#define BACKWORKS_RUNNER_REQUEST_PATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Documents of a batch after a patch. */
typedef struct PatchedDocuments {
    char *request;       /* the caller frees it */
    char *response_head; /* the caller frees it; NULL when there was none */
} PatchedDocuments;

/*
 * Applies a patch of at most RUNNER_PATCH_MAX bytes that sets headers to one string each, or members of a
 * context that was empty.
 * patch: `length` bytes of any content
 * request, response_head: documents from the server; response_head may be NULL
 * Returns: false when the patch is of another kind, or memory is short; `patched` is unchanged then
 * Thread: any
 */
bool request_patch(const char *patch, size_t length, const char *request, const char *response_head,
                   PatchedDocuments *patched);

#endif
