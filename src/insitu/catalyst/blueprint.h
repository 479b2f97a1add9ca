/**
 * @file blueprint.h
 * A scene as the tree of Conduit nodes that ParaView's implementation of Catalyst 2 understands.
 */
#ifndef ENGRAM_INSITU_CATALYST_BLUEPRINT_H
#define ENGRAM_INSITU_CATALYST_BLUEPRINT_H

#include <catalyst.h>

#include "engram/insitu.h"

/** Fills in what catalyst_initialize takes: scripts and communicator. Not collective. */
void EngramBlueprintStart(const EngramInsituSetup *setup, conduit_node *root);

/**
 * Fills in what catalyst_execute takes: state, and each channel as a mesh of its own on this rank.
 * Cell data and `steering` are not copied: the node must not outlive the scene. Not collective.
 *
 * Axes whose faces are at one distance are told as uniform ones, others as rectilinear. Those of
 * the program are uniform, and it is better so: early versions of ParaView give all axes of a
 * rectilinear grid the values of the first.
 */
void EngramBlueprintShow(const EngramInsituScene *scene, conduit_node *root);

#endif
