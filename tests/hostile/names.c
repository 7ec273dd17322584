/* Stands before the system's look-up of names, as a name server of the attacker would behind it.
 *
 * NAMES="a.example.com=8.8.8.8,127.0.0.1 b=..." is what a name leads to when it is looked up for the first time, the second, and so
 * on; the last again and again. Every look-up and every connection is written to NAMES_LOG. A connection with an address that
 * is not of this machine fails, so that nothing leaves it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int asked;

static void told(const char *what, const char *of) {
    const char *path = getenv("NAMES_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (log) {
        fprintf(log, "%s %s\n", what, of);
        fclose(log);
    }
}

/* The address for the n-th look-up of a name; false if it is not one of ours. */
static int address_of(const char *name, int n, char address[INET6_ADDRSTRLEN]) {
    const char *names = getenv("NAMES");
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", names ? names : "");
    for (char *rest = copy, *entry; (entry = strsep(&rest, " "));) {
        char *addresses = strchr(entry, '=');
        if (!addresses)
            continue;
        *addresses++ = 0;
        if (strcmp(entry, name))
            continue;
        for (char *next; (next = strsep(&addresses, ",")); n--) {
            snprintf(address, INET6_ADDRSTRLEN, "%s", next);
            if (n == 0)
                break;
        }
        return 1;
    }
    return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    char address[INET6_ADDRSTRLEN];
    if (name && address_of(name, asked, address)) {
        asked++;
        told("lookup", name);
        name = address;
    }
    return next(name, service, hints, result);
}

int connect(int socket, const struct sockaddr *to, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    if (to->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)to;
        char address[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
        told("connect", address);
        if ((ntohl(v4->sin_addr.s_addr) >> 24) != 127) {
            errno = ENETUNREACH;
            return -1;
        }
    }
    return next(socket, to, length);
}
