/**
 * @file learning_rule.h
 * The learning rule at the cells of a rank: what Phi is made of.
 *
 *     Phi(w,t) = D(w, N(w,t)) Nbar(t),   D = K(w) N .
 *
 * Whatever needs Phi, or a bound for it, calls EngramLearningDrive. The step of the transport takes
 * for granted that 0 <= N dD/dN <= D for K > 0, and likewise for |D|: then no disturbance is faster
 * than 2 |Phi| + |w| in the limit eps -> 0.
 */
#ifndef ENGRAM_MODEL_LEARNING_RULE_H
#define ENGRAM_MODEL_LEARNING_RULE_H

#include <petscsys.h>

/** The rule, evaluated at the cells of a rank. */
typedef struct EngramLearningRule {
    double *strength; /**< [w_local] K(w) */
} EngramLearningRule;

/** D: Phi over the total firing rate, of a cell whose neurons fire at the rate N. */
static inline double EngramLearningDrive(const EngramLearningRule *rule, PetscInt cell,
                                         double firing_rate)
{
    return rule->strength[cell] * firing_rate;
}

#endif
