#include "steady_search.h"

#include <stdio.h>

#include "engram/base/error.h"

/* States of two fluxes further apart than by this factor have nothing to do with each other. */
static const double LARGEST_FACTOR = 2.0;

static PetscBool HaveSameStability(const EngramCouplingRoot *a, const EngramCouplingRoot *b)
{
    return (PetscBool)((a->slope < 1.0) == (b->slope < 1.0));
}

/** Whether two roots can be the same state, by two fluxes. */
static PetscBool CanBeSame(const EngramCouplingRoot *a, const EngramCouplingRoot *b)
{
    return (PetscBool)(HaveSameStability(a, b) && a->rate <= LARGEST_FACTOR * b->rate &&
                       b->rate <= LARGEST_FACTOR * a->rate);
}

/** Whether two fluxes have as many states of the same kind: then they are the same. */
static PetscBool AreAlike(const EngramCouplingRoot *others, PetscInt other_count,
                          const EngramSteadyStates *states)
{
    PetscBool are_alike = (PetscBool)(states->count == other_count);
    for (PetscInt i = 0; i < other_count && are_alike; i++) {
        are_alike = HaveSameStability(&states->roots[i], &others[i]);
    }
    return are_alike;
}

/** Keeps of the states those that the other flux has, too, one for one. */
static void KeepCommon(const EngramCouplingRoot *others, PetscInt other_count,
                       EngramSteadyStates *states)
{
    PetscInt kept = 0;
    PetscInt next = 0;
    if (AreAlike(others, other_count, states)) {
        return;
    }
    for (PetscInt i = 0; i < states->count; i++) {
        const EngramCouplingRoot root = states->roots[i];
        PetscInt same = next;
        while (same < other_count && !CanBeSame(&root, &others[same])) {
            same++;
        }
        if (same < other_count) {
            states->roots[kept++] = root;
            next = same + 1;
        } else {
            states->made_up[states->made_up_count++] = root.rate;
        }
    }
    states->count = kept;
}

PetscErrorCode SteadySearch(Reaction *reaction, const EngramDensity *weights, PetscBool is_thorough,
                            EngramSteadyStates *states)
{
    EngramCouplingRoot others[ENGRAM_COUPLING_ROOTS];
    PetscInt other_count = 0;
    PetscFunctionBeginUser;
    *states = (EngramSteadyStates){.count = 0};
    EngramCouplingSearch *search = is_thorough ? &states->search : NULL;
    const PetscBool is_harmonic = (PetscBool)(reaction->model->flux == ENGRAM_FLUX_HARMONIC);
    PetscCall(ReactionScan(reaction, weights, states->roots, &states->count,
                           is_harmonic ? NULL : search));
    if (is_harmonic) {
        EngramSliceSolverSetFlux(reaction->solver, ENGRAM_FLUX_SCHARFETTER_GUMMEL);
        PetscCall(ReactionScan(reaction, weights, others, &other_count, search));
        EngramSliceSolverSetFlux(reaction->solver, ENGRAM_FLUX_HARMONIC);
        KeepCommon(others, other_count, states);
        states->other_count = states->count > 0 ? 0 : other_count;
    }
    states->failure = reaction->coupled.failure;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What makes it uncertain that there is no state. */
static PetscErrorCode DescribeDoubt(const EngramCouplingSearch *search, char *text, size_t size)
{
    PetscFunctionBeginUser;
    if (search->to > 0.0) {
        (void)snprintf(text, size, "one between %g and %g is not excluded", search->from,
                       search->to);
    } else {
        (void)snprintf(text, size,
                       "one between two of these is not excluded, since the rates of the "
                       "neurons both rise and fall as the total rate grows");
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSteadyStatesDescribeNone(const EngramSteadyStates *states, double largest_rate,
                                              char *text, size_t size)
{
    char doubt[256];
    const EngramCouplingSearch *search = &states->search;
    PetscFunctionBeginUser;
    if (states->other_count > 0) {
        PetscCall(
            PetscSNPrintf(text, size,
                          "-model_flux harmonic has none on this grid, but scharfetter-gummel "
                          "has %" PetscInt_FMT,
                          states->other_count));
    } else if (search->is_certain) {
        (void)snprintf(text, size,
                       "no total rate up to -blowup_rate %g is that of the network which "
                       "sees it",
                       largest_rate);
    } else {
        PetscCall(DescribeDoubt(search, doubt, sizeof(doubt)));
        (void)snprintf(text, size,
                       "of %" PetscInt_FMT " total rates from 0 to -blowup_rate %g that "
                       "were looked at none is that of the network which sees it; %s",
                       search->evaluations, largest_rate, doubt);
    }
    if (states->failure) {
        PetscCall(PetscStrlcat(text, " (at some rates ", size));
        PetscCall(PetscStrlcat(text, states->failure, size));
        PetscCall(PetscStrlcat(text, ")", size));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSteadyStatesWarn(const EngramSteadyStates *states)
{
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < states->made_up_count; i++) {
        PetscCall(
            EngramWarning("a steady state with total rate %.6g is left out: the grid makes it "
                          "up. -model_flux harmonic loses the drift where it exceeds the "
                          "diffusion across a cell, and -model_flux scharfetter-gummel, which "
                          "keeps it, has no such state",
                          states->made_up[i]));
    }
    if (states->count == ENGRAM_COUPLING_ROOTS) {
        PetscCall(EngramWarning("the search for steady states ends with the lowest %d",
                                ENGRAM_COUPLING_ROOTS));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
