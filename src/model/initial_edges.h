/**
 * @file initial_edges.h
 * What the values of the initial density at the nodes leave out.
 */
#ifndef ENGRAM_SRC_MODEL_INITIAL_EDGES_H
#define ENGRAM_SRC_MODEL_INITIAL_EDGES_H

#include "engram/model/model.h"

/**
 * Adds it, so that sums over the nodes and the rates of later times are of fourth order in h even
 * where neurons are at the threshold from the beginning. With p and its slopes as limits from
 * within, the formula of Euler and Maclaurin leaves over
 *
 *     h p(V_F)/2 - h^2/12 (p'(V_F) - [p']_V_R) ,
 *
 * [p'] being the rise of the slope at V_R. The second part has fired. The first is spread over
 * those who have fired and the three last nodes, so that mass, the two first moments about V_F and
 * the rate summed over time are right. Source: docs/numerics.md, section 3. Not collective.
 *
 * @param profile  [v_nodes + 1] work
 * @param density          p at the nodes, not normalised
 * @param threshold_slope  [w_local] -dp/dv at V_F; where p(V_F) > 0, that of those who have fired
 */
void InitialEdgesAdd(const EngramModel *model, const EngramGrid *grid, double *profile,
                     const EngramDensity *density, double *threshold_slope);

#endif
