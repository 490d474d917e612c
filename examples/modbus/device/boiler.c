/*
 * A Modbus TCP device to try the plugin with: a boiler, made with libmodbus. Serves 127.0.0.1 at the port in its
 * argument (0: any) until it is ended, prints the address, and keeps what is written in memory.
 */
#include <modbus/modbus.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16, UNIT_ID = 1 };

/* Coils, discrete inputs, holding and input registers: 0 to 99 of each. */
static modbus_mapping_t *boiler(void) {
    modbus_mapping_t *map = modbus_mapping_new(100, 100, 100, 100);
    if (map != NULL) {
        map->tab_input_bits[0] = 1;  /* the door is closed */
        map->tab_registers[0] = 650; /* setpoint: 65.0 °C */
        map->tab_registers[10] = 1;  /* hours of operation: 65536 + 4464 = 70000 */
        map->tab_registers[11] = 4464;
        map->tab_registers[20] = 0x0000; /* gain: 1.5 as a float32, low word first */
        map->tab_registers[21] = 0x3fc0;
        map->tab_input_registers[0] = 613;           /* temperature: 61.3 °C */
        map->tab_input_registers[1] = (uint16_t)-52; /* outside: -5.2 °C */
        map->tab_input_registers[2] = 0x4010;        /* pressure: 2.25 bar as a float32 */
        map->tab_input_registers[3] = 0x0000;
    }
    return map;
}

static void print_address(int listener) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) == 0) {
        printf("boiler: listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
        (void)fflush(stdout);
    }
}

/* Answers one request. False when the client has gone. */
static bool answer(modbus_t *context, int client, modbus_mapping_t *map) {
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    (void)modbus_set_socket(context, client);
    int size = modbus_receive(context, request);
    if (size < 0) {
        return false;
    }
    return size == 0 || request[6] != UNIT_ID || modbus_reply(context, request, size, map) >= 0;
}

static void serve(modbus_t *context, int listener, modbus_mapping_t *map) {
    struct pollfd sockets[1 + CLIENTS_MAX] = {{.fd = listener, .events = POLLIN}};
    nfds_t count = 1;
    while (poll(sockets, count, -1) >= 0 || errno == EINTR) {
        for (nfds_t i = count; i-- > 1;) {
            if (sockets[i].revents != 0 && !answer(context, sockets[i].fd, map)) {
                (void)close(sockets[i].fd);
                sockets[i] = sockets[--count];
            }
        }
        if (sockets[0].revents != 0) {
            int client = accept(listener, NULL, NULL);
            if (client >= 0 && count <= CLIENTS_MAX) {
                sockets[count++] = (struct pollfd){.fd = client, .events = POLLIN};
            } else if (client >= 0) {
                (void)close(client);
            }
        }
    }
}

/* modbus_tcp_listen() of libmodbus 3.1.6 takes the port 0 for its default port, so the socket is made here. */
static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool listening = bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                     listen(listener, CLIENTS_MAX) == 0;
    return listening ? listener : -1;
}

int main(int count, char **arguments) {
    int listener = listen_on(count > 1 ? atoi(arguments[1]) : 1502);
    modbus_t *context = modbus_new_tcp("127.0.0.1", 1502);
    modbus_mapping_t *map = boiler();
    if (listener < 0 || context == NULL || map == NULL) {
        (void)fprintf(stderr, "boiler: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    print_address(listener);
    serve(context, listener, map);
    return EXIT_SUCCESS;
}
