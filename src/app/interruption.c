#include "interruption.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "engram/base/notice.h"

/** What a signal asks for. */
typedef struct Meaning {
    int signal;
    const char *name;
    int notice;
} Meaning;

static const Meaning meanings[] = {
    {SIGTERM, "TERM", ENGRAM_NOTICE_REQUEUE}, {SIGUSR1, "USR1", ENGRAM_NOTICE_REQUEUE},
    {SIGHUP, "HUP", ENGRAM_NOTICE_REQUEUE},   {SIGUSR2, "USR2", ENGRAM_NOTICE_CHECKPOINT},
    {SIGINT, "INT", ENGRAM_NOTICE_STOP},      {SIGPIPE, "PIPE", ENGRAM_NOTICE_STOP}};

enum { MEANINGS = (int)(sizeof(meanings) / sizeof(meanings[0])) };

static volatile sig_atomic_t noted = -1;

/** Whether nobody reads what the program prints; sockets of libraries may break, too. */
static int IsUnread(void)
{
    struct pollfd streams[2] = {{STDOUT_FILENO, POLLOUT, 0}, {STDERR_FILENO, POLLOUT, 0}};
    return poll(streams, 2, 0) > 0 && ((streams[0].revents | streams[1].revents) & POLLERR);
}

static void NoteSignal(int signal)
{
    const int number = errno;
    if (signal == SIGPIPE && !IsUnread()) {
        errno = number;
        return;
    }
    for (int i = 0; i < MEANINGS; i++) {
        if (meanings[i].signal == signal) {
            noted = i;
            EngramNoticePost(meanings[i].notice);
        }
    }
    errno = number;
}

/** Takes a signal over. */
static void Take(int signal)
{
    struct sigaction action = {.sa_handler = NoteSignal};
    (void)sigemptyset(&action.sa_mask);
    /* Writing goes on where it was interrupted. */
    action.sa_flags = SA_RESTART;
    (void)sigaction(signal, &action, NULL);
}

void InterruptionInstall(void)
{
    struct sigaction before;
    for (int i = 0; i < MEANINGS; i++) {
        const int is_ignored = meanings[i].signal == SIGHUP &&
                               sigaction(SIGHUP, NULL, &before) == 0 &&
                               before.sa_handler == SIG_IGN;
        if (!is_ignored) {
            Take(meanings[i].signal);
        }
    }
    (void)signal(SIGXFSZ, SIG_IGN);
}

void InterruptionRenew(void)
{
    Take(SIGPIPE);
}

void InterruptionRemove(void)
{
    struct sigaction present;
    for (int i = 0; i < MEANINGS; i++) {
        if (sigaction(meanings[i].signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN) {
            (void)signal(meanings[i].signal, SIG_DFL);
        }
    }
    if (noted >= 0) {
        (void)raise(meanings[noted].signal);
    }
}

const char *InterruptionSignal(void)
{
    return noted >= 0 ? meanings[noted].name : NULL;
}
