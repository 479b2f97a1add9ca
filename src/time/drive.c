#include "drive.h"

#include <math.h>

#include "engram/base/error.h"

PetscErrorCode DriveCreate(Drive *drive)
{
    PetscFunctionBeginUser;
    drive->factor = (EngramInputFactor){1.0, 1.0, 0.0};
    DriveFollowModel(drive);
    PetscCall(EngramAlignedCalloc(drive->grid->w_local, &drive->input));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void DriveFollowModel(Drive *drive)
{
    drive->input_time = NAN;
    drive->input_is_steady = EngramInputIsSteady(drive->model->phase.input);
}

void DriveChangeFactor(Drive *drive, double time, double factor)
{
    EngramInputFactor *changed = &drive->factor;
    if (time > changed->since) {
        changed->before = changed->after;
        changed->since = time;
    }
    changed->after = factor;
}

static double FactorAt(const EngramInputFactor *factor, double time, DriveSide side)
{
    const PetscBool is_after =
        (PetscBool)(time > factor->since || (side == DRIVE_AT_START && time == factor->since));
    return is_after ? factor->after : factor->before;
}

/** The time whose input is that of a time as it is seen from a side. */
static double SeenTime(const Jumps *jumps, double time, DriveSide side)
{
    const Jump *jump = JumpsAt(jumps, time);
    if (!jump || jump->before == jump->after) {
        return time;
    }
    return side == DRIVE_AT_END ? jump->before : jump->after;
}

/** I(w, t) times its factor, unless it is there already. */
static void SetInput(Drive *drive, double time, DriveSide side)
{
    const PetscInt cells = drive->grid->w_local;
    const double factor = FactorAt(&drive->factor, time, side);
    const double seen = SeenTime(drive->jumps, time, side);
    const PetscBool is_there =
        (PetscBool)(drive->input_is_steady ? !isnan(drive->input_time) : drive->input_time == seen);
    if (is_there && drive->input_factor == factor) {
        return;
    }
    EngramModelInput(drive->model, seen, cells, drive->grid->w + 1, drive->input);
    for (PetscInt i = 0; i < cells; i++) {
        drive->input[i] = factor * drive->input[i];
    }
    drive->input_time = seen;
    drive->input_factor = factor;
}

static void Fail(EngramState *state, const char *failure)
{
    state->is_finite = PETSC_FALSE;
    state->failure = failure;
}

void DriveSet(Drive *drive, double time, DriveSide side, double activity, EngramState *state)
{
    const double *w = drive->grid->w + 1;
    double *drift = EngramSliceSolverDrift(drive->solver);
    const double response = EngramModelResponse(drive->model, activity);
    const double noise = EngramModelNoise(drive->model, activity);
    state->activity = activity;
    state->activity_time = time;
    if (!isfinite(response)) {
        Fail(state, "the response sigma(Nbar) is not finite");
        return;
    }
    if (!(noise > 0.0 && isfinite(noise))) {
        Fail(state, "the noise a(Nbar) is not positive and finite");
        return;
    }
    SetInput(drive, time, side);
    for (PetscInt i = 0; i < drive->grid->w_local; i++) {
        drift[i] = drive->input[i] + w[i] * response;
    }
    EngramSliceSolverSetNoise(drive->solver, noise);
}

PetscErrorCode DriveDestroy(Drive *drive)
{
    PetscFunctionBeginUser;
    PetscCall(EngramAlignedFree(&drive->input));
    PetscFunctionReturn(PETSC_SUCCESS);
}
