#include "engram/observe/steering.h"

#include <math.h>

#include "engram/base/error.h"
#include "steering_table.h"

PetscErrorCode EngramSteeringNoteFailure(EngramSteering *steering, int failures, const char *text)
{
    PetscFunctionBeginUser;
    steering->failures += failures;
    if (steering->is_strict) {
        PetscCall(EngramInsituError("in situ: %s (-insitu_strict)",
                                    text[0] ? text : "a script has failed again"));
    }
    if (text[0]) {
        PetscCall(EngramWarning("in situ: %s; the run goes on, failures are counted in "
                                "summary.yaml",
                                text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringTableStart(MPI_Comm comm, const char *directory, TextFile *file)
{
    PetscFunctionBeginUser;
    PetscCall(TextFileOpen(comm, directory, "steering.csv", file));
    TextFilePrint(file, "step,time,option,old,new\n");
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringTableVerify(MPI_Comm comm, const char *directory,
                                   const EngramPosition *position)
{
    uint64_t bytes = position->count > 0 ? position->words[0] : 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&bytes, 1, MPI_UINT64_T, 0, comm));
    if (bytes > 0) {
        PetscCall(TextFileVerify(comm, directory, "steering.csv", bytes, NULL));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringTableResume(MPI_Comm comm, const char *directory,
                                   const EngramPosition *position, TextFile *file)
{
    uint64_t bytes = position->count > 0 ? position->words[0] : 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&bytes, 1, MPI_UINT64_T, 0, comm));
    if (bytes > 0) {
        PetscCall(TextFileResume(comm, directory, "steering.csv", bytes, file));
    } else {
        PetscCall(SteeringTableStart(comm, directory, file));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void SteeringTableWrite(EngramSteering *steering, TextFile *file)
{
    static const char *const names[ENGRAM_STEER_COUNT] = ENGRAM_STEERING_NAMES;
    for (int i = 0; i < steering->changes; i++) {
        const EngramSteeringChange *change = &steering->change[i];
        TextFilePrint(file, "%" PetscInt64_FMT ",%.17g,%s,%.17g,%.17g\n", change->step,
                      change->time, names[change->what], change->before, change->after);
    }
    if (steering->changes > 0) {
        /* What fails here is found when the file is closed. */
        (void)TextFileFlushOnRoot(file);
    }
    steering->changes = 0;
}
