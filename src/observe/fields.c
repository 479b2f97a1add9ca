/* fields.h5: density, firing rate and weight density at chosen times; fields.xmf for ParaView. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/base/hdf5_file.h"
#include "engram/base/hdf5_image.h"
#include "engram/base/hdf5_rows.h"
#include "engram/base/log.h"
#include "engram/observe/observer.h"
#include "fields_head.h"
#include "xdmf.h"

/* A time this close to a multiple of the interval, in units of it, is that multiple. */
static const double INTERVAL_TOLERANCE = 1e-9;

/* Words of a position: what comes before the image of the file. */
enum { POSITION_ROWS, POSITION_STEP, POSITION_HEAD };

/* Added to the number of rows where that of the present state could not be written: the run that
 * goes on begins with it. */
static const uint64_t ROW_IS_DUE = UINT64_C(1) << 63;

/* The datasets that grow; the last two are not in every run. */
enum { TIME, TOTAL_RATE, DENSITY, FIRING_RATE, WEIGHT_DENSITY, REFRACTORY, PHASE, DATASETS };

typedef struct Fields {
    EngramOutputParameters parameters;
    EngramHdf5File file;
    EngramHdf5Image image; /* where the rows lie in the file */
    XdmfSeries xdmf;
    EngramHdf5Part number; /* a row of one number */
    EngramHdf5Part slices; /* a row [w] */
    EngramHdf5Part plane;  /* a row [v][w] */
    EngramHdf5Rows dataset[DATASETS];
    PetscBool is_there[DATASETS];
    PetscInt rows;
    double every;         /* interval of the rows in time */
    double interval;      /* of the last row written */
    PetscInt64 last_step; /* of the last row written */
    PetscBool is_due;     /* a row of the present state is to be written, or has failed */
} Fields;

/** A dataset that grows. */
typedef struct Description {
    const char *name;
    const char *unit;
    const char *text;
    char shape; /* number, slices or plane */
} Description;

static const Description descriptions[DATASETS] = {
    {"time", "learning time", "time of each row of the other datasets", 'n'},
    {"total_rate", "1/reacting time", "total firing rate Nbar: integral of firing_rate over w",
     'n'},
    {"density", "1/(potential weight)", "probability density p[time][v][w]", 'p'},
    {"firing_rate", "1/(reacting time weight)", "firing rate N[time][w]", 's'},
    {"weight_density", "1/weight",
     "distribution of synaptic weights H[time][w]: integral of density over v", 's'},
    {"refractory", "1/weight", "refractory neurons R[time][w], a part of weight_density", 's'},
    {"phase", "dimensionless", "number of the phase, from 0, in protocol_phases", 'n'}};

static const EngramHdf5Part *PartOf(const Fields *fields, int d)
{
    const char shape = descriptions[d].shape;
    return shape == 'n' ? &fields->number : (shape == 's' ? &fields->slices : &fields->plane);
}

static void DescribeParts(const EngramGrid *grid, Fields *fields)
{
    const hsize_t nodes = (hsize_t)grid->v_nodes;
    const hsize_t cells = (hsize_t)grid->w_cells;
    const hsize_t local = (hsize_t)grid->w_local;
    const hsize_t start = (hsize_t)grid->w_start;
    fields->number.dimensions = 0;
    fields->slices = (EngramHdf5Part){1, {cells}, {start}, {local}, {local}};
    fields->plane = (EngramHdf5Part){
        2, {nodes, cells}, {0, start}, {nodes, local}, {nodes, (hsize_t)grid->w_stride}};
}

/** Creates the datasets, or goes on with those of a file that is continued. */
static PetscErrorCode OpenDatasets(Fields *fields, PetscBool is_new)
{
    int number = 0;
    PetscFunctionBeginUser;
    for (int d = 0; d < DATASETS; d++) {
        const Description *told = &descriptions[d];
        if (!fields->is_there[d]) {
            continue;
        }
        if (is_new) {
            PetscCall(EngramHdf5RowsCreate(&fields->file, told->name, number, PartOf(fields, d),
                                           told->unit, told->text, &fields->dataset[d]));
        } else {
            PetscCall(EngramHdf5RowsOpen(&fields->file, told->name, number, PartOf(fields, d),
                                         &fields->dataset[d]));
        }
        number++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Tells readers of any kind which dataset holds the coordinates of each dimension. */
static PetscErrorCode NameDimensions(Fields *fields)
{
    static const char *const plane[] = {"time", "v", "w"};
    static const char *const slices[] = {"time", "w"};
    EngramHdf5File *file = &fields->file;
    PetscFunctionBeginUser;
    for (int d = 0; d < 3; d++) {
        PetscCall(EngramHdf5MakeScale(file, plane[d]));
    }
    PetscCall(EngramHdf5SetScales(file, "w_quadrature", 1, &slices[1]));
    for (int d = TIME + 1; d < DATASETS; d++) {
        const char shape = descriptions[d].shape;
        if (fields->is_there[d]) {
            PetscCall(EngramHdf5SetScales(file, descriptions[d].name,
                                          PartOf(fields, d)->dimensions + 1,
                                          shape == 's' ? slices : plane));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Reserves the room for a row, so that a full disk is noticed before the file is touched. */
static PetscErrorCode ReserveRow(const Fields *fields, const EngramGrid *grid)
{
    uint64_t bytes = 1 << 14; /* of the structures */
    uint64_t length = 0;
    int failure = 0;
    PetscFunctionBeginUser;
    for (int d = 0; d < DATASETS; d++) {
        bytes += fields->is_there[d] ? EngramHdf5RowsGrowth(&fields->dataset[d], fields->rows) : 0;
    }
    if (grid->rank == 0) {
        failure = EngramFileLength(fields->file.path, &length);
        failure = failure ? failure : EngramFileReserve(fields->file.path, length, bytes);
    }
    PetscCall(EngramFileAgree(grid->comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", fields->file.path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteState(Fields *fields, const EngramSnapshot *snapshot)
{
    const double phase = (double)snapshot->phase;
    const double *const values[DATASETS] = {&snapshot->time,
                                            &snapshot->total_rate,
                                            snapshot->density,
                                            snapshot->firing_rate,
                                            snapshot->weight_density,
                                            snapshot->refractory,
                                            &phase};
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_FIELDS_WRITE));
    fields->is_due = PETSC_TRUE;
    PetscCall(ReserveRow(fields, snapshot->grid));
    for (int d = 0; d < DATASETS; d++) {
        if (fields->is_there[d]) {
            PetscCall(EngramHdf5RowsWrite(&fields->file, &fields->dataset[d], &fields->image,
                                          fields->rows, values[d]));
        }
    }
    PetscCall(EngramHdf5Flush(&fields->file));
    PetscCall(XdmfSeriesAppend(&fields->xdmf, fields->rows, snapshot->time));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_FIELDS_WRITE, 0.0));
    fields->is_due = PETSC_FALSE;
    fields->rows++;
    fields->last_step = snapshot->step;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What depends on the run that is watched. */
static PetscErrorCode DescribeRun(const EngramSnapshot *snapshot, Fields *fields, char *path,
                                  size_t size)
{
    PetscFunctionBeginUser;
    fields->image.datasets = 0;
    for (int d = 0; d < DATASETS; d++) {
        fields->is_there[d] = (PetscBool)((d != REFRACTORY || snapshot->refractory) &&
                                          (d != PHASE || snapshot->phase_name));
        fields->image.datasets += fields->is_there[d] ? 1 : 0;
    }
    DescribeParts(snapshot->grid, fields);
    PetscCall(PetscSNPrintf(path, size, "%s/fields.h5", fields->parameters.directory));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Number of whole intervals up to a time; 0 without intervals. */
static double IntervalOf(double every, double time)
{
    return every > 0.0 ? floor(time / every + INTERVAL_TOLERANCE) : 0.0;
}

static PetscErrorCode StartFields(void *context, const EngramSnapshot *initial)
{
    char path[PETSC_MAX_PATH_LEN];
    Fields *fields = context;
    PetscFunctionBeginUser;
    const char *directory = fields->parameters.directory;
    PetscCall(DescribeRun(initial, fields, path, sizeof(path)));
    fields->every = initial->steering->present[ENGRAM_STEER_FIELDS_EVERY];
    fields->interval = IntervalOf(fields->every, initial->time);
    PetscCall(EngramHdf5Create(initial->grid->comm, path, 0, &fields->file));
    PetscCall(FieldsHeadWrite(initial->grid, &fields->parameters, &fields->slices, &fields->file));
    PetscCall(OpenDatasets(fields, PETSC_TRUE));
    PetscCall(NameDimensions(fields));
    PetscCall(EngramHdf5Flush(&fields->file));
    PetscCall(XdmfSeriesStart(initial->grid, directory, &fields->xdmf));
    PetscCall(WriteState(fields, initial));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ObserveFields(void *context, const EngramSnapshot *snapshot)
{
    Fields *fields = context;
    PetscBool is_due = snapshot->is_wanted;
    PetscFunctionBeginUser;
    const double every = snapshot->steering->present[ENGRAM_STEER_FIELDS_EVERY];
    if (every != fields->every) {
        /* It was changed after the last step. */
        fields->every = every;
        fields->interval = IntervalOf(every, snapshot->time - snapshot->dt);
    }
    if (every > 0.0) {
        const double interval = IntervalOf(every, snapshot->time);
        is_due = (PetscBool)(is_due || interval > fields->interval);
        fields->interval = interval;
    }
    if (is_due) {
        PetscCall(WriteState(fields, snapshot));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StopFields(void *context, const EngramSnapshot *last,
                                 const EngramOutcome *outcome)
{
    Fields *fields = context;
    PetscFunctionBeginUser;
    if (last->density && fields->last_step != last->step && !outcome->departure) {
        PetscCall(WriteState(fields, last));
    }
    PetscCall(EngramHdf5Close(&fields->file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SaveFields(void *context, EngramPosition *position)
{
    Fields *fields = context;
    PetscFunctionBeginUser;
    if (fields->file.has_failed) {
        PetscCall(EngramOutputError("cannot write %s", fields->file.path));
    }
    PetscCall(EngramHdf5Flush(&fields->file));
    int failure = EngramFileSync(fields->file.path);
    PetscCall(EngramFileAgree(fields->file.comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", fields->file.path, strerror(failure)));
    }
    PetscCall(
        EngramPositionAdd(position, (uint64_t)fields->rows | (fields->is_due ? ROW_IS_DUE : 0)));
    PetscCall(EngramPositionAdd(position, (uint64_t)fields->last_step));
    PetscCall(EngramHdf5ImageTake(&fields->image, &fields->file, position));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Says what is the matter with a file that is to be continued, if anything is. */
static PetscErrorCode TellFault(MPI_Comm comm, const char *path, int failure)
{
    PetscFunctionBeginUser;
    PetscCall(EngramFileAgree(comm, &failure));
    if (failure == ENGRAM_HDF5_IMAGE_CHANGED) {
        PetscCall(
            EngramInputError("-restart: the rows of %s were changed since the run has written "
                             "them; put the file back, or take another -output_dir",
                             path));
    } else if (failure == ENGRAM_FILE_TOO_SHORT || failure == ENOENT) {
        PetscCall(EngramInputError("-restart: %s is not the file that the run has written up to "
                                   "its checkpoint; put it back, or take another -output_dir",
                                   path));
    } else if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The image of the file in a position. */
static const uint64_t *ImageOf(const EngramPosition *position)
{
    return position->count > POSITION_HEAD ? position->words + POSITION_HEAD : NULL;
}

static PetscInt64 ImageWords(const EngramPosition *position)
{
    return PetscMax(position->count - POSITION_HEAD, 0);
}

static PetscErrorCode VerifyFields(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    char path[PETSC_MAX_PATH_LEN];
    Fields *fields = context;
    int failure = 0;
    PetscFunctionBeginUser;
    MPI_Comm comm = snapshot->grid->comm;
    PetscCall(DescribeRun(snapshot, fields, path, sizeof(path)));
    PetscCall(EngramHdf5ImageVerify(comm, path, ImageOf(position), ImageWords(position), &failure));
    PetscCall(TellFault(comm, path, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Puts the file back to where it stood. */
static PetscErrorCode RestoreFile(MPI_Comm comm, const char *path, const EngramPosition *position)
{
    int failure = 0;
    PetscFunctionBeginUser;
    if (position->count > POSITION_HEAD) {
        failure = EngramHdf5ImageRestore(path, ImageOf(position), ImageWords(position));
    }
    PetscCall(TellFault(comm, path, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes fields.xmf anew from the times in fields.h5. */
static PetscErrorCode RewriteXdmf(const EngramGrid *grid, Fields *fields)
{
    double *times = NULL;
    PetscFunctionBeginUser;
    const hsize_t rows = (hsize_t)fields->rows;
    const EngramHdf5Part part = {1, {rows}, {0}, {rows}, {rows}};
    PetscCall(PetscMalloc1(fields->rows, &times));
    PetscCall(EngramHdf5Read(&fields->file, "time", ENGRAM_HDF5_DOUBLE, &part, times));
    PetscCall(XdmfSeriesStart(grid, fields->parameters.directory, &fields->xdmf));
    for (PetscInt row = 0; row < fields->rows; row++) {
        PetscCall(XdmfSeriesAppend(&fields->xdmf, row, times[row]));
    }
    PetscCall(PetscFree(times));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ResumeFields(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    char path[PETSC_MAX_PATH_LEN];
    Fields *fields = context;
    uint64_t head[POSITION_HEAD] = {0};
    PetscFunctionBeginUser;
    MPI_Comm comm = snapshot->grid->comm;
    for (PetscInt64 i = 0; i < PetscMin(position->count, POSITION_HEAD); i++) {
        head[i] = position->words[i];
    }
    PetscCallMPI(MPI_Bcast(head, POSITION_HEAD, MPI_UINT64_T, 0, comm));
    PetscCall(DescribeRun(snapshot, fields, path, sizeof(path)));
    PetscCall(RestoreFile(comm, path, position));
    PetscCall(EngramHdf5Open(comm, path, PETSC_TRUE, &fields->file));
    PetscCall(OpenDatasets(fields, PETSC_FALSE));
    if (snapshot->grid->rank == 0) {
        PetscCall(EngramHdf5ImageResume(&fields->image, ImageOf(position), ImageWords(position)));
    }
    fields->rows = (PetscInt)(head[POSITION_ROWS] & ~ROW_IS_DUE);
    fields->last_step = (PetscInt64)head[POSITION_STEP];
    fields->every = snapshot->steering->present[ENGRAM_STEER_FIELDS_EVERY];
    fields->interval = IntervalOf(fields->every, snapshot->time);
    PetscCall(RewriteXdmf(snapshot->grid, fields));
    if (head[POSITION_ROWS] & ROW_IS_DUE) {
        PetscCall(WriteState(fields, snapshot));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyFields(void *context)
{
    Fields *fields = context;
    PetscFunctionBeginUser;
    /* It is open only if the run has failed: the file stays as it was after its last row. */
    fields->file.has_failed = PETSC_TRUE;
    PetscCall(EngramHdf5Close(&fields->file));
    PetscCall(EngramHdf5ImageDestroy(&fields->image));
    PetscCall(PetscFree(fields));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramFieldsCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer)
{
    Fields *fields = NULL;
    PetscFunctionBeginUser;
    (void)grid;
    PetscCall(PetscNew(&fields));
    fields->parameters = *parameters;
    fields->file.id = -1;
    *observer = (EngramObserver){.name = "fields",
                                 .context = fields,
                                 .start = StartFields,
                                 .observe = ObserveFields,
                                 .stop = StopFields,
                                 .destroy = DestroyFields,
                                 .save = SaveFields,
                                 .verify = VerifyFields,
                                 .resume = ResumeFields};
    PetscFunctionReturn(PETSC_SUCCESS);
}
