/* Listen: the server's socket, opened by main, so that a low port needs no privilege later. */
#ifndef HOLDFAST_SERVER_LISTEN_H
#define HOLDFAST_SERVER_LISTEN_H

#include <stddef.h>

/* spec: "ADDR:PORT" or "[ADDR]:PORT"; port 0 takes a free one. *url is filled when it is "".
 * ret_port gets the real port in digits. 0, or 1 after a log line. */
int listen_on(int *ret_fd, const char *spec, char *url, size_t url_size, char ret_port[8]);
/* Host part of a URL, without brackets. */
void listen_host(char *ret, size_t size, const char *url);

#endif
