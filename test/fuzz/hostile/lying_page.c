/* A runner that hangs in every call, while its shared page claims that far later calls have begun. */
#include <string.h>
#include <sys/mman.h>

#include "../../../src/runner/protocol.h"
#include "wire.h"

int main(void) {
    unsigned char *page =
        mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_DESCRIPTOR, 0);

    say((Frame){.type = FRAME_RUNNER_HELLO, .value = PROTOCOL_VERSION}, "");
    for (;;) {
        Frame frame = next_frame();
        uint32_t begun = frame.id + 1000;

        switch (frame.type) {
        case FRAME_HELLO:
            break;
        case FRAME_SANDBOX:
            say((Frame){.length = 7, .id = frame.id, .type = FRAME_READY}, "mode=x");
            break;
        case FRAME_LOAD:
            say((Frame){.length = 13,
                        .id = frame.id,
                        .type = FRAME_LOADED,
                        .value = FUNCTION_PROCESS_ENDPOINT},
                "liar\0"
                "1.0.0\0"
                "\0");
            break;
        case FRAME_CALL:
            memcpy(page + SHARED_BEGUN, &begun, sizeof begun);
            memcpy(page + SHARED_RUNNING, &begun, sizeof begun);
            hang();
            break;
        default:
            say((Frame){.id = frame.id, .type = FRAME_STATUS}, "");
        }
    }
}
