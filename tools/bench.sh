#!/usr/bin/env bash
# Times a step against PETSc's stock solvers, SciPy and the memory's limit, in one run:
#
#     tools/bench.sh [--rounds N] [--output docs/performance.md]

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages
find_python
configure_and_build release
say "measuring (some seconds a round; leave the machine alone meanwhile)"
exec "$python" -B tools/benchmark/report.py --build build/release "$@"
