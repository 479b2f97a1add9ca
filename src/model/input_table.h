/**
 * @file input_table.h
 * An input that is given by numbers: reading the file, and the values between them.
 */
#ifndef ENGRAM_SRC_MODEL_INPUT_TABLE_H
#define ENGRAM_SRC_MODEL_INPUT_TABLE_H

#include <petscsys.h>

/** Numbers of I at times and weights; see engram/model/input.h for the file. */
typedef struct InputTable {
    char time;      /* 't', 's', or 0 where the input is the same at all times */
    PetscInt times; /* 1 where there is no time */
    PetscInt weights;
    double *t; /* [times] ascending */
    double *w; /* [weights] ascending */
    double *i; /* [times * weights] weights fastest */
} InputTable;

/**
 * Reads a table from text. Not collective.
 *
 * @param source  what is read, for messages: "-model_input file:signal.csv"
 * @param text    the whole file, which is changed on the way
 * @return ENGRAM_ERR_INPUT with the line
 */
PetscErrorCode InputTableParse(const char *source, char *text, InputTable *table);

/** Linear in time and weight, constant outside. Not collective. */
void InputTableValues(const InputTable *table, double time, PetscInt count, const double *w,
                      double *values);

/** Frees it; may be called twice. Not collective. */
PetscErrorCode InputTableDestroy(InputTable *table);

#endif
