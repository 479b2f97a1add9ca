#include "faults.h"

#include <algorithm>

namespace engram
{

namespace
{

// Place of the first text that no rank lacks, or -1. Collective.
int FirstMissing(MPI_Comm comm, const std::vector<std::string> &missing, size_t count)
{
    std::vector<unsigned char> isMissing(count, 0);
    for (size_t i = 0; i < missing.size(); i++) {
        isMissing[i] = missing[i].empty() ? 0 : 1;
    }
    MPI_Allreduce(MPI_IN_PLACE, isMissing.data(), static_cast<int>(count), MPI_UNSIGNED_CHAR,
                  MPI_MIN, comm);
    const auto found = std::find(isMissing.begin(), isMissing.end(), 1);
    return found == isMissing.end() ? -1 : static_cast<int>(found - isMissing.begin());
}

} // namespace

Verdict Agree(MPI_Comm comm, const Faults &faults)
{
    Verdict verdict;
    int rank = 0;
    int size = 0;
    std::vector<int> first(FaultKinds + 1); // ranks by kind; less the number of texts
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    for (int kind = 0; kind < FaultKinds; kind++) {
        first[kind] = faults.text[kind] ? rank : size;
    }
    first[FaultKinds] = -static_cast<int>(faults.missing.size());
    MPI_Allreduce(MPI_IN_PLACE, first.data(), FaultKinds + 1, MPI_INT, MPI_MIN, comm);
    const int missing =
        first[FaultKinds] < 0 ? FirstMissing(comm, faults.missing, -first[FaultKinds]) : -1;
    const auto found = std::find_if(first.begin(), first.begin() + FaultKinds,
                                    [size](int where) { return where < size; });
    verdict.kind = static_cast<int>(found - first.begin());
    if (missing >= 0 && verdict.kind > ExtractFailed) {
        return {ExtractFailed, 0, faults.missing[missing]};
    }
    if (verdict.kind < FaultKinds) {
        verdict.rank = *found;
        verdict.text = faults.text[verdict.kind].value_or("");
    }
    return verdict;
}

} // namespace engram
