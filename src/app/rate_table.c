#include "rate_table.h"

#include <math.h>

#include "engram/base/error.h"

/* Two times this close, relative, are the same. */
static const double TIME_TOLERANCE = 1e-12;

enum { FIRST_CAPACITY = 256 };

PetscErrorCode RateTableAdd(RateTable *table, double time, double rate)
{
    PetscFunctionBeginUser;
    if (table->count == table->capacity) {
        table->capacity = PetscMax(FIRST_CAPACITY, 2 * table->capacity);
        PetscCall(PetscRealloc(sizeof(RateRow) * (size_t)table->capacity, &table->row));
    }
    RateRow *row = &table->row[table->count++];
    row->time = time;
    row->rate[0] = rate;
    for (int i = 1; i < RATE_TABLE_RUNS; i++) {
        row->rate[i] = NAN;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void RateTableFill(RateTable *table, int run, double time, double rate)
{
    PetscInt *place = &table->place[run];
    const double tolerance = TIME_TOLERANCE * time;
    while (*place < table->count && table->row[*place].time < time - tolerance) {
        (*place)++;
    }
    if (*place < table->count && table->row[*place].time <= time + tolerance) {
        table->row[*place].rate[run] = rate;
    }
}

double RateTableDifference(const RateTable *table, int a, int b, int c)
{
    double largest = 0.0;
    double top = 0.0;
    for (PetscInt i = 0; i < table->count; i++) {
        const double *rate = table->row[i].rate;
        if (isfinite(rate[a]) && isfinite(rate[b]) && isfinite(rate[c])) {
            largest = PetscMax(largest, fabs(rate[a] - rate[b]));
            top = PetscMax(top, rate[a]);
        }
    }
    return top > 0.0 ? largest / top : NAN;
}

PetscErrorCode RateTableDestroy(RateTable *table)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(table->row));
    *table = (RateTable){.count = 0};
    PetscFunctionReturn(PETSC_SUCCESS);
}
