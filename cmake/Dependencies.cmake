# Libraries; docs/dependencies.md says why each is there.
find_package(PkgConfig REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
pkg_check_modules(PETSC REQUIRED IMPORTED_TARGET PETSc>=3.18)
pkg_check_modules(MUPARSER REQUIRED IMPORTED_TARGET muparser)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
# Debian names the HDF5 built for the system's MPI hdf5-openmpi; elsewhere it is just hdf5.
pkg_search_module(HDF5 REQUIRED IMPORTED_TARGET hdf5-openmpi hdf5)
# Dimension scales are in HDF5's own high-level library, beside it.
find_library(ENGRAM_HDF5_HL hdf5_hl HINTS ${HDF5_LIBRARY_DIRS} REQUIRED)
target_link_libraries(PkgConfig::HDF5 INTERFACE ${ENGRAM_HDF5_HL})
