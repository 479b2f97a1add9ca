#!/usr/bin/env bash
# Times a step against PETSc's stock solvers, SciPy, the memory's limit and a reference revision of
# Engram itself, in one run:
#
#     tools/bench.sh [--rounds N] [--output docs/performance.md]
#
# The reference, 262d66a, has order 2 in v, and separate passes over the density. It is built from
# the history of this clone.

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages
find_python
configure_and_build release
reference=262d66a
if ! git cat-file -e "$reference^{commit}" 2>/dev/null; then
    say "revision $reference is not in this clone; fetch the whole history: git fetch --unshallow"
    exit 1
fi
say "building the reference, revision $reference"
if [ ! -e build/reference_source ]; then
    git worktree prune
    git worktree add --detach build/reference_source "$reference" >/dev/null
fi
cmake -S build/reference_source -B build/reference -DCMAKE_BUILD_TYPE=Release \
      -DENGRAM_NATIVE=ON -DENGRAM_BENCHMARK=ON -DENGRAM_TESTS=OFF >/dev/null
cmake --build build/reference --target engram_benchmark --parallel >/dev/null
say "measuring (some seconds a round; leave the machine alone meanwhile)"
exec "$python" -B tools/benchmark/report.py --build build/release --reference build "$@"
