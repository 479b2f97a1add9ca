// What can go wrong in a call of a script, and how all ranks come to the same word on it.
#ifndef ENGRAM_INSITU_PARAVIEW_FAULTS_H
#define ENGRAM_INSITU_PARAVIEW_FAULTS_H

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <mpi.h>

namespace engram
{

// The first of them that a call has is the one that is told.
enum FaultKind : int {
    ScriptRaised,  // an exception, or it did not compile
    ExtractFailed, // a file is missing, empty or cut; or there is nothing to be seen in it
    ErrorPrinted,  // VTK has printed an error
    FaultKinds
};

// What went wrong in a call on this rank.
struct Faults {
    std::array<std::optional<std::string>, FaultKinds> text; // by kind
    std::vector<std::string> missing; // of extracts: empty where this rank has the data
};

// The fault of a call, the same on all ranks.
struct Verdict {
    int kind = FaultKinds; // none
    int rank = 0;          // the first one that has it
    std::string text;      // on that rank
};

// Compares the faults of all ranks: what is missing on all of them is a failed extract. Collective.
Verdict Agree(MPI_Comm comm, const Faults &faults);

} // namespace engram

#endif
