#include "fields_head.h"

#include "engram/base/error.h"

static PetscErrorCode WriteAxes(const EngramGrid *grid, const EngramHdf5Part *slices,
                                EngramHdf5File *file)
{
    double *v = NULL;
    PetscFunctionBeginUser;
    const hsize_t nodes = (hsize_t)grid->v_nodes;
    EngramHdf5Part part = {1, {nodes}, {0}, {nodes}, {nodes}};
    if (grid->rank != 0) {
        part.count[0] = 0;
    }
    PetscCall(PetscMalloc1(grid->v_nodes, &v));
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        v[k] = EngramGridPotential(grid, k);
    }
    PetscCall(EngramHdf5WriteOnce(file, "v", ENGRAM_HDF5_DOUBLE, &part, v));
    PetscCall(
        EngramHdf5Describe(file, "v", "dimensionless", "membrane potential at the unknown nodes"));
    PetscCall(PetscFree(v));
    PetscCall(EngramHdf5WriteOnce(file, "w", ENGRAM_HDF5_DOUBLE, slices, grid->w + 1));
    PetscCall(EngramHdf5Describe(file, "w", "dimensionless",
                                 "synaptic weight at the centres of the cells"));
    PetscCall(EngramHdf5WriteOnce(file, "w_quadrature", ENGRAM_HDF5_DOUBLE, slices,
                                  grid->w_quadrature + 1));
    PetscCall(EngramHdf5Describe(file, "w_quadrature", "dimensionless",
                                 "weights of the cells in integrals over w, as parts of dw"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteProvenance(const EngramOutputParameters *parameters,
                                      EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < parameters->provenance.count; i++) {
        PetscCall(EngramHdf5WriteText(file, "/", parameters->provenance.entries[i].name,
                                      parameters->provenance.entries[i].text));
    }
    PetscCall(EngramHdf5CreateGroup(file, "options_used"));
    PetscCall(EngramHdf5CreateGroup(file, "options_default"));
    for (int i = 0; i < EngramOptionsCount(parameters->options); i++) {
        const EngramOptionRecord record = EngramOptionsRecordAt(parameters->options, i);
        if (record.is_command) {
            continue;
        }
        PetscCall(EngramHdf5WriteText(file, record.is_default ? "options_default" : "options_used",
                                      record.option->name, record.value));
    }
    for (int i = 0; i < EngramOptionsForeignCount(parameters->options); i++) {
        PetscCall(EngramHdf5WriteText(file, "options_used",
                                      EngramOptionsForeignName(parameters->options, i),
                                      EngramOptionsForeignValue(parameters->options, i)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FieldsHeadWrite(const EngramGrid *grid, const EngramOutputParameters *parameters,
                               const EngramHdf5Part *slices, EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(WriteProvenance(parameters, file));
    PetscCall(WriteAxes(grid, slices, file));
    PetscFunctionReturn(PETSC_SUCCESS);
}
