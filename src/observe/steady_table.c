#include "engram/observe/steady_table.h"

#include "engram/base/error.h"
#include "text_file.h"

struct EngramSteadyTable {
    TextFile file;
};

PetscErrorCode EngramSteadyTableOpen(MPI_Comm comm, const char *directory, const char *file,
                                     const char *columns, EngramSteadyTable *table)
{
    PetscFunctionBeginUser;
    PetscCall(PetscNew(table));
    PetscCall(TextFileOpen(comm, directory, file, &(*table)->file));
    TextFilePrint(&(*table)->file, "%s\n", columns);
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramSteadyTableAdd(EngramSteadyTable table, int count, const double *numbers)
{
    for (int i = 0; i < count; i++) {
        TextFilePrint(&table->file, i ? ",%.17g" : "%.17g", numbers[i]);
    }
    TextFilePrint(&table->file, "\n");
}

PetscErrorCode EngramSteadyTableClose(EngramSteadyTable *table)
{
    PetscFunctionBeginUser;
    if (!*table) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(TextFileClose(&(*table)->file));
    PetscCall(PetscFree(*table));
    PetscFunctionReturn(PETSC_SUCCESS);
}
