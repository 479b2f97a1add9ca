#include "engram/base/kernel_choice.h"

#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/kernels/kernel_set.h"

static const char VARIABLE[] = "ENGRAM_KERNELS";

/** What the environment names, else the best set; -1 where this rank cannot have it. */
static int WantedSet(void)
{
    const int best = EngramKernelSetBest();
    const char *name = getenv(VARIABLE);
    if (!name || !name[0]) {
        return best;
    }
    for (int set = 0; set <= best; set++) {
        if (strcmp(name, EngramKernelSetName(set)) == 0) {
            return set;
        }
    }
    return -1;
}

PetscErrorCode EngramKernelsAgree(MPI_Comm comm)
{
    /* The least of what the ranks want, and of what they can have. */
    int sets[2] = {WantedSet(), EngramKernelSetBest()};
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sets, 2, MPI_INT, MPI_MIN, comm));
    if (sets[0] < 0) {
        char names[64] = "";
        const char *name = getenv(VARIABLE);
        for (int set = 0; set <= sets[1]; set++) {
            PetscCall(PetscStrlcat(names, set > 0 ? ", " : "", sizeof(names)));
            PetscCall(PetscStrlcat(names, EngramKernelSetName(set), sizeof(names)));
        }
        PetscCall(EngramInputError("%s=%s: not among the kernels that this build has for the "
                                   "processors of all ranks, which are %s",
                                   VARIABLE, name ? name : "", names));
    }
    EngramKernelSetUse(sets[0]);
    PetscFunctionReturn(PETSC_SUCCESS);
}
