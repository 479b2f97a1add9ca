#include <hdf5_hl.h>

#include "engram/base/error.h"

#include "engram/base/hdf5_file.h"

/** Attaches a scale to a dimension on the first rank. @return whether it failed */
static int AttachOnRoot(const EngramHdf5File *file, const char *name, const char *scale, int d)
{
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    const hid_t other = H5Dopen2(file->id, scale, H5P_DEFAULT);
    const int has_failed =
        dataset < 0 || other < 0 || H5DSattach_scale(dataset, other, (unsigned)d) < 0;
    (void)H5Dclose(other);
    (void)H5Dclose(dataset);
    return has_failed;
}

PetscErrorCode EngramHdf5MakeScale(EngramHdf5File *file, const char *name)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
        has_failed = dataset < 0 || H5DSset_scale(dataset, name) < 0;
        (void)H5Dclose(dataset);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "name a dimension"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5SetScales(EngramHdf5File *file, const char *name, int dimensions,
                                   const char *const *scales)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    for (int d = 0; d < dimensions && file->rank == 0; d++) {
        has_failed = has_failed || AttachOnRoot(file, name, scales[d], d);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "name the dimensions of a dataset"));
    PetscFunctionReturn(PETSC_SUCCESS);
}
