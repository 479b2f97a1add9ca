/**
 * @file rate_table.h
 * The total rates of several runs of one case at the times that they have in common.
 */
#ifndef ENGRAM_SRC_APP_RATE_TABLE_H
#define ENGRAM_SRC_APP_RATE_TABLE_H

#include <petscsys.h>

enum { RATE_TABLE_RUNS = 3 };

/** One row for each time, in ascending order; zeros make an empty one. */
typedef struct RateRow {
    double time;
    double rate[RATE_TABLE_RUNS]; /* NaN: the run had no state at that time */
} RateRow;

typedef struct RateTable {
    PetscInt count;
    PetscInt capacity;
    RateRow *row;                    /* owned */
    PetscInt place[RATE_TABLE_RUNS]; /* at which the run is */
} RateTable;

/** Adds a later time, with the rate of run 0. Not collective. */
PetscErrorCode RateTableAdd(RateTable *table, double time, double rate);

/** Fills in the rate of another run where the table has its time; times ascend. Not collective. */
void RateTableFill(RateTable *table, int run, double time, double rate);

/**
 * Largest difference of two runs at the times that they and a third one have, over the largest rate
 * of the first of them there; NaN where there is no such time, or no rate above 0. Not collective.
 *
 * @param c  the third run; one of the two where there is none
 */
double RateTableDifference(const RateTable *table, int a, int b, int c);

/** Frees the rows; may be called twice. Not collective. */
PetscErrorCode RateTableDestroy(RateTable *table);

#endif
