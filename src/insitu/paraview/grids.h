// Grids of VTK over the arrays of a scene.
#ifndef ENGRAM_INSITU_PARAVIEW_GRIDS_H
#define ENGRAM_INSITU_PARAVIEW_GRIDS_H

#include <array>

#include <vtkRectilinearGrid.h>
#include <vtkSmartPointer.h>

#include "engram/insitu.h"

namespace engram
{

// Points of all ranks: first and last index in weight, potential and the third direction.
std::array<int, 6> WholeExtent(const EngramInsituChannel &channel);

// The part of this rank. Cell data and `steering` are not copied: the grid must not outlive them.
vtkSmartPointer<vtkRectilinearGrid> MakeGrid(const EngramInsituScene &scene,
                                             const EngramInsituChannel &channel, bool hasDisplay);

} // namespace engram

#endif
