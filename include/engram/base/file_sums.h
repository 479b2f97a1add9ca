/**
 * @file file_sums.h
 * Checksums of the files that options name, as they were when they were read.
 */
#ifndef ENGRAM_BASE_FILE_SUMS_H
#define ENGRAM_BASE_FILE_SUMS_H

#include <stdint.h>

/** A file that was read. */
typedef struct EngramFileSum {
    const char *option; /**< that names it; borrowed */
    uint64_t checksum;  /**< of its bytes */
} EngramFileSum;

/** All files of a case. */
typedef struct EngramFileSums {
    EngramFileSum *list; /**< [count], owned by whoever made the list */
    int count;
} EngramFileSums;

/** Room for a checksum as text. */
#define ENGRAM_FILE_SUM_TEXT 24

#endif
