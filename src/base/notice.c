#include "engram/base/notice.h"

#include <stdatomic.h>

/* Lock-free, so that a signal handler may change it between any two instructions. */
static atomic_int posted;

void EngramNoticePost(int bits)
{
    (void)atomic_fetch_or(&posted, bits);
}

int EngramNoticePosted(void)
{
    return atomic_load(&posted);
}

void EngramNoticeClear(int bits)
{
    (void)atomic_fetch_and(&posted, ~bits);
}
