// What a script asked for and did not get; in Python: checks.py.
#ifndef ENGRAM_INSITU_PARAVIEW_CHECKS_H
#define ENGRAM_INSITU_PARAVIEW_CHECKS_H

#include <cstdint>
#include <string>
#include <vector>

namespace engram
{

// What is wrong with the extracts of a script after a call.
struct Findings {
    std::string file; // on this rank; empty where nothing is
    // As long on all ranks. What is not empty on any rank is missing altogether.
    std::vector<std::string> missing;
};

// Before a call of a script.
void WatchScript(const std::string &path);

// After it. Not collective.
Findings FindFaults(int64_t step, double time);

} // namespace engram

#endif
