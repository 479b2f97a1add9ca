#include "xdmf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"

static const char *const CLOSING_TAGS = "    </Grid>\n  </Domain>\n</Xdmf>\n";

static void PrintHead(FILE *stream)
{
    (void)fprintf(stream, "<?xml version=\"1.0\" ?>\n<Xdmf Version=\"2.0\">\n  <Domain>\n"
                          "    <Grid Name=\"engram\" GridType=\"Collection\" "
                          "CollectionType=\"Temporal\">\n");
}

static void PrintItem(FILE *stream, const char *indent, PetscInt length, const char *dataset)
{
    (void)fprintf(stream,
                  "%s<DataItem Dimensions=\"%" PetscInt_FMT "\" NumberType=\"Float\" "
                  "Precision=\"8\" Format=\"HDF\">fields.h5:/%s</DataItem>\n",
                  indent, length, dataset);
}

/**
 * The density of one time, told in two ways, since no way of naming a row of a dataset is known to
 * all readers. Those of XDMF 3, which ParaView prefers, take what comes first, an attribute in the
 * attribute; they find nothing in a hyperslab. Those of XDMF 2 look for an item of data only.
 */
static void PrintDensity(FILE *stream, PetscInt nodes, PetscInt cells, PetscInt row)
{
    (void)fprintf(
        stream,
        "        <Attribute Name=\"density\" Center=\"Node\">\n"
        "          <Attribute Name=\"density\" Center=\"Node\">\n"
        "            <DataItem Dimensions=\"%" PetscInt_FMT " %" PetscInt_FMT
        "\" NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">fields.h5:/density|%" PetscInt_FMT
        " 0 0:1 1 1:1 %" PetscInt_FMT " %" PetscInt_FMT ":%" PetscInt_FMT " %" PetscInt_FMT
        " %" PetscInt_FMT "</DataItem>\n          </Attribute>\n",
        nodes, cells, row, nodes, cells, row + 1, nodes, cells);
    (void)fprintf(stream,
                  "          <DataItem ItemType=\"HyperSlab\" Dimensions=\"%" PetscInt_FMT
                  " %" PetscInt_FMT "\">\n"
                  "            <DataItem Dimensions=\"3 3\" Format=\"XML\">%" PetscInt_FMT
                  " 0 0  1 1 1  1 %" PetscInt_FMT " %" PetscInt_FMT "</DataItem>\n"
                  "            <DataItem Dimensions=\"%" PetscInt_FMT " %" PetscInt_FMT
                  " %" PetscInt_FMT "\" NumberType=\"Float\" Precision=\"8\" "
                  "Format=\"HDF\">fields.h5:/density</DataItem>\n"
                  "          </DataItem>\n        </Attribute>\n",
                  nodes, cells, row, nodes, cells, row + 1, nodes, cells);
}

/** One time: the rectilinear grid (w, v) with the density on its points. */
static void PrintTime(FILE *stream, const EngramGrid *grid, PetscInt row, double time)
{
    const PetscInt nodes = grid->v_nodes;
    const PetscInt cells = grid->w_cells;
    (void)fprintf(stream,
                  "      <Grid Name=\"density\" GridType=\"Uniform\">\n"
                  "        <Time Value=\"%.17g\"/>\n",
                  time);
    (void)fprintf(stream,
                  "        <Topology TopologyType=\"2DRectMesh\" Dimensions=\"%" PetscInt_FMT
                  " %" PetscInt_FMT "\"/>\n"
                  "        <Geometry GeometryType=\"VXVY\">\n",
                  nodes, cells);
    PrintItem(stream, "          ", cells, "w");
    PrintItem(stream, "          ", nodes, "v");
    (void)fprintf(stream, "        </Geometry>\n");
    PrintDensity(stream, nodes, cells, row);
    (void)fprintf(stream, "      </Grid>\n");
}

/** Writes on rank 0 and shares the outcome. `row` negative: the head only. */
static PetscErrorCode WriteTimes(XdmfSeries *series, PetscInt row, double time)
{
    int failure = 0;
    PetscFunctionBeginUser;
    if (series->grid->rank == 0) {
        errno = 0;
        FILE *stream = fopen(series->path, row < 0 ? "w" : "r+");
        if (stream && row < 0) {
            PrintHead(stream);
        } else if (stream && fseek(stream, series->tail, SEEK_SET) == 0) {
            PrintTime(stream, series->grid, row, time);
        }
        if (stream) {
            series->tail = ftell(stream);
            (void)fprintf(stream, "%s", CLOSING_TAGS);
            const int has_error = ferror(stream);
            failure = (fclose(stream) != 0 || has_error) ? (errno ? errno : EIO) : 0;
        } else {
            failure = errno ? errno : EIO;
        }
    }
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, series->grid->comm));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", series->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode XdmfSeriesStart(const EngramGrid *grid, const char *directory, XdmfSeries *series)
{
    PetscFunctionBeginUser;
    series->grid = grid;
    PetscCall(PetscSNPrintf(series->path, sizeof(series->path), "%s/fields.xmf", directory));
    PetscCall(WriteTimes(series, -1, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode XdmfSeriesAppend(XdmfSeries *series, PetscInt row, double time)
{
    PetscFunctionBeginUser;
    PetscCall(WriteTimes(series, row, time));
    PetscFunctionReturn(PETSC_SUCCESS);
}
