#include "engram/base/provenance.h"

#include <hdf5.h>
#include <string.h>
#include <time.h>

#include "engram/base/error.h"
#include "engram/kernels/kernel_set.h"
#include "engram_version.h"

PetscErrorCode EngramProvenanceAdd(EngramProvenance *provenance, const char *name, const char *text)
{
    PetscFunctionBeginUser;
    PetscCheck(provenance->count < ENGRAM_PROVENANCE_ENTRIES, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "Too many entries of provenance");
    EngramProvenanceEntry *entry = &provenance->entries[provenance->count++];
    entry->name = name;
    PetscCall(PetscStrncpy(entry->text, text, sizeof(entry->text)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

const char *EngramProvenanceText(const EngramProvenance *provenance, const char *name)
{
    for (int i = 0; i < provenance->count; i++) {
        if (strcmp(provenance->entries[i].name, name) == 0) {
            return provenance->entries[i].text;
        }
    }
    return "";
}

static PetscErrorCode AddLibraries(EngramProvenance *provenance)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscGetVersion(text, sizeof(text)));
    PetscCall(EngramProvenanceAdd(provenance, "petsc", text));
    PetscCallMPI(MPI_Get_library_version(text, &length));
    text[strcspn(text, ",\n")] = '\0';
    PetscCall(EngramProvenanceAdd(provenance, "mpi", text));
    PetscCheck(H5get_libversion(&major, &minor, &release) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB,
               "HDF5 does not tell its version");
    PetscCall(PetscSNPrintf(text, sizeof(text), "%u.%u.%u", major, minor, release));
    PetscCall(EngramProvenanceAdd(provenance, "hdf5", text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramProvenanceCollect(MPI_Comm comm, EngramProvenance *provenance)
{
    char text[64];
    PetscMPIInt size = 0;
    PetscFunctionBeginUser;
    provenance->count = 0;
    PetscCall(EngramProvenanceAdd(provenance, "program", "engram"));
    PetscCall(EngramProvenanceAdd(provenance, "version", ENGRAM_VERSION));
    PetscCall(EngramProvenanceAdd(provenance, "revision", ENGRAM_REVISION));
    PetscCall(EngramProvenanceAdd(provenance, "compiler", ENGRAM_COMPILER));
    PetscCall(EngramProvenanceAdd(provenance, "build", ENGRAM_BUILD));
    PetscCall(
        EngramProvenanceAdd(provenance, "kernels", EngramKernelSetName(EngramKernelSetInUse())));
    PetscCall(AddLibraries(provenance));
    PetscCallMPI(MPI_Comm_size(comm, &size));
    PetscCall(PetscSNPrintf(text, sizeof(text), "%d", size));
    PetscCall(EngramProvenanceAdd(provenance, "ranks", text));
    const time_t now = time(NULL);
    struct tm utc;
    PetscCheck(gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc),
               PETSC_COMM_SELF, PETSC_ERR_SYS, "No time of day");
    PetscCall(EngramProvenanceAdd(provenance, "started", text));
    PetscFunctionReturn(PETSC_SUCCESS);
}
