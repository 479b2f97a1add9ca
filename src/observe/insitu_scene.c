#include "insitu_scene.h"

#include <math.h>
#include <string.h>

#include "engram/base/error.h"

/* The channels. */
enum { DENSITY, WEIGHTS };

static const struct {
    const char *name;
    int count;
} number_table[INSITU_NUMBER_COUNT] = {
    [INSITU_TIME] = {"time", 1},
    [INSITU_STEP] = {"step", 1},
    [INSITU_TOTAL_RATE] = {"total_rate", 1},
    [INSITU_MASS_ERROR] = {"mass_error", 1},
    [INSITU_THRESHOLD] = {"threshold", 1},
    [INSITU_RESET] = {"reset", 1},
    [INSITU_DENSITY_RANGE] = {"density_range", 2},
    [INSITU_WEIGHT_DENSITY_RANGE] = {"weight_density_range", 2},
    [INSITU_FIRING_RATE_RANGE] = {"firing_rate_range", 2},
    [INSITU_DOMAIN] = {"domain", 4},
};

static const double zero_face = 0.0;

/** Potential at the lower face of the cell around a node. */
static double LowerFace(const EngramGrid *grid, PetscInt node)
{
    return grid->v_min + ((double)node + 0.5) * grid->v_spacing;
}

static void SetFaces(const EngramGrid *grid, InsituScene *scene)
{
    double *domain = scene->numbers[INSITU_DOMAIN];
    for (PetscInt i = 0; i <= grid->w_local; i++) {
        scene->w[i] = grid->w_min + (double)(grid->w_start + i) * grid->w_spacing;
    }
    for (PetscInt k = 0; k <= grid->v_nodes; k++) {
        scene->v[k] = LowerFace(grid, k);
    }
    domain[0] = grid->w_min;
    domain[1] = grid->w_min + (double)grid->w_cells * grid->w_spacing;
    domain[2] = scene->v[0];
    domain[3] = scene->v[grid->v_nodes];
    scene->numbers[INSITU_THRESHOLD][0] =
        grid->v_min + (double)(grid->v_nodes + 1) * grid->v_spacing;
    scene->numbers[INSITU_RESET][0] = EngramGridPotential(grid, grid->reset_node);
}

/** Channels without their data. */
static void SetChannels(const EngramGrid *grid, InsituScene *scene)
{
    EngramInsituScene *shown = &scene->scene;
    const EngramInsituChannel whole = {.name = "density",
                                       .dimensions = 2,
                                       .cells = {grid->w_cells, grid->v_nodes},
                                       .first = grid->w_start,
                                       .local = grid->w_local,
                                       .w = scene->w,
                                       .v = scene->v,
                                       .spacing = {grid->w_spacing, grid->v_spacing}};
    shown->channels = 2;
    shown->channel[DENSITY] = whole;
    shown->channel[WEIGHTS] = whole;
    shown->channel[WEIGHTS].name = "weights";
    shown->channel[WEIGHTS].dimensions = 1;
    shown->channel[WEIGHTS].cells[1] = 1;
    shown->channel[WEIGHTS].v = &zero_face;
    shown->steering = scene->steering;
    shown->numbers = INSITU_NUMBER_COUNT;
    for (int i = 0; i < INSITU_NUMBER_COUNT; i++) {
        shown->number[i] =
            (EngramInsituArray){number_table[i].name, number_table[i].count, scene->numbers[i]};
    }
}

PetscErrorCode InsituSceneCreate(const EngramGrid *grid, PetscBool with_deviation,
                                 InsituScene *scene)
{
    PetscFunctionBeginUser;
    const PetscInt cells = grid->v_nodes * grid->w_local;
    memset(scene, 0, sizeof(*scene));
    PetscCall(PetscMalloc2(grid->w_local + 1, &scene->w, grid->v_nodes + 1, &scene->v));
    if (grid->w_stride != grid->w_local) {
        PetscCall(PetscMalloc1(cells, &scene->rows));
    }
    if (with_deviation) {
        PetscCall(PetscMalloc1(cells, &scene->deviation));
    }
    SetFaces(grid, scene);
    SetChannels(grid, scene);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Largest density; its rows go without padding into `rows` on the way, unless that is NULL. */
static double PackRows(const EngramGrid *grid, const double *density, double *rows)
{
    double largest = -INFINITY;
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        const double *row = density + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            largest = row[i] > largest ? row[i] : largest;
        }
        if (rows) {
            memcpy(rows + k * grid->w_local, row, (size_t)grid->w_local * sizeof(double));
        }
    }
    return largest;
}

static void IncludeInRange(PetscInt count, const double *values, double *range)
{
    for (PetscInt i = 0; i < count; i++) {
        range[0] = PetscMax(range[0], -values[i]);
        range[1] = PetscMax(range[1], values[i]);
    }
}

/** Smallest and largest values over all ranks. */
static PetscErrorCode SetRanges(const EngramSnapshot *snapshot, double largest, double smallest,
                                InsituScene *scene)
{
    /* The smallest with their signs turned, then the largest. */
    double ranges[3][2] = {{-INFINITY, largest}, {-INFINITY, -INFINITY}, {-INFINITY, -INFINITY}};
    PetscFunctionBeginUser;
    const EngramGrid *grid = snapshot->grid;
    IncludeInRange(grid->w_local, snapshot->weight_density, ranges[1]);
    IncludeInRange(grid->w_local, snapshot->firing_rate, ranges[2]);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ranges, 6, MPI_DOUBLE, MPI_MAX, grid->comm));
    scene->numbers[INSITU_DENSITY_RANGE][0] = smallest;
    scene->numbers[INSITU_DENSITY_RANGE][1] = ranges[0][1];
    for (int i = 1; i < 3; i++) {
        scene->numbers[INSITU_DENSITY_RANGE + i][0] = 0.0 - ranges[i][0];
        scene->numbers[INSITU_DENSITY_RANGE + i][1] = ranges[i][1];
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void AddField(const char *name, int64_t count, const double *values,
                     EngramInsituChannel *channel)
{
    channel->field[channel->fields++] = (EngramInsituArray){name, count, values};
}

/** p - H Q(v; mu). */
static PetscErrorCode SetDeviation(const EngramSnapshot *snapshot, InsituScene *scene)
{
    const double *quasi_static = NULL;
    PetscFunctionBeginUser;
    const EngramGrid *grid = snapshot->grid;
    PetscCall(snapshot->quasi_static(snapshot->quasi_static_context, &quasi_static));
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        const double *p = snapshot->density + k * grid->w_stride;
        const double *q = quasi_static + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            scene->deviation[k * grid->w_local + i] = p[i] - q[i];
        }
    }
    AddField("deviation", grid->v_nodes * grid->w_local, scene->deviation,
             &scene->scene.channel[DENSITY]);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void SetWeights(const EngramSnapshot *snapshot, InsituScene *scene)
{
    EngramInsituChannel *channel = &scene->scene.channel[WEIGHTS];
    const PetscInt cells = snapshot->grid->w_local;
    channel->fields = 0;
    AddField("weight_density", cells, snapshot->weight_density, channel);
    AddField("firing_rate", cells, snapshot->firing_rate, channel);
    AddField("learning_velocity", cells, snapshot->learning_velocity, channel);
    AddField("drift", cells, snapshot->drift, channel);
}

PetscErrorCode InsituSceneTake(const EngramSnapshot *snapshot, InsituScene *scene)
{
    EngramDiagnostics diagnostics;
    EngramInsituScene *shown = &scene->scene;
    EngramInsituChannel *density = &shown->channel[DENSITY];
    PetscFunctionBeginUser;
    const EngramGrid *grid = snapshot->grid;
    PetscCall(EngramSnapshotDiagnostics(snapshot, &diagnostics));
    const double largest = PackRows(grid, snapshot->density, scene->rows);
    PetscCall(SetRanges(snapshot, largest, diagnostics.min_density, scene));
    shown->step = snapshot->step;
    shown->time = snapshot->time;
    shown->is_last = snapshot->is_last ? 1 : 0;
    scene->numbers[INSITU_TIME][0] = snapshot->time;
    scene->numbers[INSITU_STEP][0] = (double)snapshot->step;
    scene->numbers[INSITU_TOTAL_RATE][0] = snapshot->total_rate;
    scene->numbers[INSITU_MASS_ERROR][0] = diagnostics.mass_error;
    density->fields = 0;
    AddField("density", grid->v_nodes * grid->w_local,
             scene->rows ? scene->rows : snapshot->density, density);
    if (scene->deviation) {
        PetscCall(SetDeviation(snapshot, scene));
    }
    SetWeights(snapshot, scene);
    for (int i = 0; i < ENGRAM_STEER_COUNT; i++) {
        scene->steering[i] = NAN;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InsituSceneDestroy(InsituScene *scene)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree2(scene->w, scene->v));
    PetscCall(PetscFree(scene->rows));
    PetscCall(PetscFree(scene->deviation));
    PetscFunctionReturn(PETSC_SUCCESS);
}
