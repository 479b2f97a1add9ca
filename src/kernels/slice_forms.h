/**
 * @file slice_forms.h
 * The forms of a loop over groups of slices: one function for each width of a group, order of the
 * transport and kind of weights, all of one text.
 *
 * The arithmetic of a slice is the same in all widths, so its bits do not depend on the group that
 * it is in. Each form is a function by itself: a compiler that sees them all in one does worse with
 * the registers of each.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_FORMS_H
#define ENGRAM_SRC_KERNELS_SLICE_FORMS_H

#include "slice_plan.h"

/** What is done with the group of slices from `first` on. */
typedef void (*GroupWork)(const Plan *plan, ptrdiff_t first);

/** The forms for one order of the transport. */
typedef struct GroupForms {
    GroupWork flat[2];  /* order 2 in v: narrow, wide */
    GroupWork whole[2]; /* order 4 */
    GroupWork any;      /* slices out of the range of the polynomials, harmonic flux, bare solves */
} GroupForms;

#define ENGRAM_GROUP_FORM(name, work, vectors, order, evaluation, part)                            \
    ENGRAM_APART void name(const Plan *plan, ptrdiff_t first)                                      \
    {                                                                                              \
        work(plan, first, vectors, order, evaluation, part);                                       \
    }

#if HAS_TWO_WIDTHS
#define ENGRAM_WIDE_FORMS(work, order)                                                             \
    ENGRAM_GROUP_FORM(work##FlatWide##order, work, MAIN_VECTORS, order, EVALUATE_FLAT,             \
                      EXPLICIT_NONE)                                                               \
    ENGRAM_GROUP_FORM(work##WholeWide##order, work, MAIN_VECTORS, order, EVALUATE_POLYNOMIAL,      \
                      EXPLICIT_WHOLE)
#else
#define ENGRAM_WIDE_FORMS(work, order)
#endif

/** work##Forms##order: `work` (plan, first, vectors, order, evaluation, part) in all its forms. */
#define ENGRAM_GROUP_FORMS(work, order)                                                            \
    ENGRAM_WIDE_FORMS(work, order)                                                                 \
    ENGRAM_GROUP_FORM(work##Flat##order, work, NARROW_VECTORS, order, EVALUATE_FLAT,               \
                      EXPLICIT_NONE)                                                               \
    ENGRAM_GROUP_FORM(work##Whole##order, work, NARROW_VECTORS, order, EVALUATE_POLYNOMIAL,        \
                      EXPLICIT_WHOLE)                                                              \
    ENGRAM_GROUP_FORM(work##Any##order, work, NARROW_VECTORS, order, EVALUATE_ANY, EXPLICIT_SHARE)

#if HAS_TWO_WIDTHS
#define ENGRAM_FORMS_OF(work, order)                                                               \
    {                                                                                              \
        {work##Flat##order, work##FlatWide##order}, {work##Whole##order, work##WholeWide##order},  \
            work##Any##order                                                                       \
    }
#else
#define ENGRAM_FORMS_OF(work, order)                                                               \
    {                                                                                              \
        {work##Flat##order, work##Flat##order}, {work##Whole##order, work##Whole##order},          \
            work##Any##order                                                                       \
    }
#endif

/** Does the work for all slices; `forms` by the order of the transport. */
static inline void WorkOnGroups(Plan *plan, const GroupForms *forms)
{
    const int order = plan->step->transport ? plan->step->transport->order : 0;
    const GroupForms *form = &forms[order];
    const GroupWork *within = plan->part == EXPLICIT_NONE ? form->flat : form->whole;
    if (order == 2) {
        FindFirstFlux(plan);
    }
    for (ptrdiff_t first = 0; first < plan->slices; plan->turn = 1 - plan->turn) {
        int vectors = VectorsOfGroup(plan->slices, first);
        if (vectors != NARROW_VECTORS && !IsWithinRange(plan, first, vectors)) {
            vectors = NARROW_VECTORS;
        }
        if (vectors != NARROW_VECTORS) {
            within[1](plan, first);
        } else if (IsWithinRange(plan, first, NARROW_VECTORS)) {
            within[0](plan, first);
        } else {
            form->any(plan, first);
        }
        first += vectors * VECTOR_LANES;
    }
}

#endif
