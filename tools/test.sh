#!/usr/bin/env bash
# Installs what is missing, builds a release, runs the whole test suite. Run it again at any time,
# from any directory; options go to ctest:
#
#     tools/test.sh [-L unit] [-R name] ...

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck disable=SC2086
install_packages $build_packages $tool_packages $compare_packages $insitu_packages \
    $check_packages
find_python
# Tests build copies of these sources: what is the same in them is compiled once.
export CCACHE_DIR=$root/build/ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
configure_and_build release
say "running the tests"
ctest --preset release "$@"
say "all tests passed"
