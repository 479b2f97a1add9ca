# Sourced by quickstart.sh and test.sh: installs what is missing, configures, builds.
# Afterwards: the working directory is the project's, $engram is the program, $python a Python with
# the packages that the tools need.

set -euo pipefail

# --help: the head of the script that has sourced this, and nothing else is done.
for word in "$@"; do
    case $word in -h | --help) sed -n '/^#!/d;/^$/q;s/^# \{0,1\}//p' "$0"; exit ;; esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

build_packages="cmake ninja-build gcc g++ libc6-dev git pkg-config libopenmpi-dev openmpi-bin
    petsc-dev libhdf5-openmpi-dev libmuparser-dev libyaml-dev libcmocka-dev"
tool_packages="python3 python3-numpy python3-scipy python3-h5py python3-matplotlib python3-yaml"
# The program of the field, beside which Engram is timed.
compare_packages="python3-numba"
# ParaView, which the program does without, and what draws its pictures and films on a machine
# without a screen.
insitu_packages="paraview-dev python3-paraview python3-mpi4py libx11-dev libpython3-dev xvfb xauth
    ffmpeg python3-pil"
# The job scripts are tested under a scheduler of the tests' own, and fields.h5 is opened by xarray.
check_packages="clang-format clang-tidy cppcheck slurmctld slurmd slurm-client munge libpmix-dev
    python3-xarray python3-h5netcdf ccache"

say() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
}

# Runs a command as root, with sudo where that is needed.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# install_packages PACKAGE...: installs those that are missing, or names them and stops.
install_packages() {
    local missing=()
    local package
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        check_programs
        return
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "all packages are installed"
        return
    fi
    say "installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "these packages are missing, and there is no sudo: ${missing[*]}"
        exit 1
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

# Where there is no apt-get: names what is missing, all at once.
check_programs() {
    local missing=()
    local program library module
    for program in cmake ninja cc git pkg-config mpirun python3; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    for library in PETSc muparser yaml-0.1 cmocka; do
        pkg-config --exists "$library" 2>/dev/null || missing+=("$library")
    done
    pkg-config --exists hdf5-openmpi 2>/dev/null || pkg-config --exists hdf5 2>/dev/null ||
        missing+=("parallel HDF5")
    for module in numpy scipy h5py matplotlib yaml; do
        python3 -c "import $module" 2>/dev/null || missing+=("Python's $module")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        say "no apt-get here; please install: $(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
        exit 1
    fi
}

# A Python with h5py: Debian's comes before one of the user's, which may lack it.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 "$(command -v python3)"; do
        if "$candidate" -c 'import h5py, matplotlib, numpy, scipy, yaml' 2>/dev/null; then
            python=$candidate
            return
        fi
    done
    say "no python3 has h5py, matplotlib, numpy, scipy and yaml"
    exit 1
}

# configure_and_build PRESET [-DNAME=VALUE ...]
configure_and_build() {
    say "configuring and building the preset $1 in build/$1"
    local log
    log=$(mktemp)
    if ! cmake --preset "$@" >"$log" 2>&1 || ! cmake --build --preset "$1" >>"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        exit 1
    fi
    rm -f "$log"
    engram=$root/build/$1/engram
}

# build_reference TARGET...: an older revision, to compare with: order 2 in v, 1 or 2 in w, 1 or 2 in
# time, and separate passes over the density. From the history of this clone, in build/reference.
build_reference() {
    local revision=262d66a
    if ! git cat-file -e "$revision^{commit}" 2>/dev/null; then
        say "revision $revision is not in this clone; fetch the whole history: git fetch --unshallow"
        exit 1
    fi
    say "building the reference, revision $revision"
    if [ ! -e build/reference_source ]; then
        git worktree prune
        git worktree add --detach build/reference_source "$revision" >/dev/null
    fi
    cmake -S build/reference_source -B build/reference -DCMAKE_BUILD_TYPE=Release \
          -DENGRAM_NATIVE=ON -DENGRAM_BENCHMARK=ON -DENGRAM_TESTS=OFF >/dev/null
    cmake --build build/reference --target "$@" --parallel >/dev/null
}

# Open MPI refuses to run as root, and more ranks than cores, unless told; one thread a rank.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
export OMP_NUM_THREADS=1
