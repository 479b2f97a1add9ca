/**
 * @file notice.h
 * What one rank has noticed and all must know: a signal, the end of the time, a full disk.
 *
 * A notice is posted on any rank at any moment and travels with the next reduction (reduction.h),
 * so it costs no communication of its own; after it all ranks know, at the same place of the
 * program.
 */
#ifndef ENGRAM_BASE_NOTICE_H
#define ENGRAM_BASE_NOTICE_H

/** Notices, as bits. */
typedef enum EngramNotice {
    ENGRAM_NOTICE_CHECKPOINT = 1,     /**< write a checkpoint and go on */
    ENGRAM_NOTICE_REQUEUE = 2,        /**< write a checkpoint and leave, to be continued */
    ENGRAM_NOTICE_STOP = 4,           /**< write a checkpoint and leave at the user's wish */
    ENGRAM_NOTICE_OUTPUT_FAILED = 8,  /**< rank 0 could not write a file */
    ENGRAM_NOTICE_CHECKPOINT_DUE = 16 /**< the interval of wall time has passed */
} EngramNotice;

/** Posts bits, until they are cleared. May be called by a signal handler. */
void EngramNoticePost(int bits);

/** The bits that are posted on this rank. */
int EngramNoticePosted(void);

/** Takes bits back on this rank. */
void EngramNoticeClear(int bits);

#endif
