#include "interruption.h"

#include <signal.h>
#include <stddef.h>

#include "engram/base/notice.h"

/** What a signal asks for. */
typedef struct Meaning {
    int signal;
    const char *name;
    int notice;
} Meaning;

static const Meaning meanings[] = {{SIGTERM, "TERM", ENGRAM_NOTICE_REQUEUE},
                                   {SIGUSR1, "USR1", ENGRAM_NOTICE_REQUEUE},
                                   {SIGUSR2, "USR2", ENGRAM_NOTICE_CHECKPOINT},
                                   {SIGINT, "INT", ENGRAM_NOTICE_STOP}};

enum { MEANINGS = (int)(sizeof(meanings) / sizeof(meanings[0])) };

static volatile sig_atomic_t noted = -1;

static void NoteSignal(int signal)
{
    for (int i = 0; i < MEANINGS; i++) {
        if (meanings[i].signal == signal) {
            noted = i;
            EngramNoticePost(meanings[i].notice);
        }
    }
}

void InterruptionInstall(void)
{
    struct sigaction action = {.sa_handler = NoteSignal};
    (void)sigemptyset(&action.sa_mask);
    /* Writing goes on where it was interrupted. */
    action.sa_flags = SA_RESTART;
    for (int i = 0; i < MEANINGS; i++) {
        (void)sigaction(meanings[i].signal, &action, NULL);
    }
}

void InterruptionRemove(void)
{
    for (int i = 0; i < MEANINGS; i++) {
        (void)signal(meanings[i].signal, SIG_DFL);
    }
    if (noted >= 0) {
        (void)raise(meanings[noted].signal);
    }
}

const char *InterruptionSignal(void)
{
    return noted >= 0 ? meanings[noted].name : NULL;
}
