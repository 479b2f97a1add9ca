# In situ back ends: shared objects that the program loads when it is asked to, each built where its
# library is found. docs/insitu.md says how to get them.
option(ENGRAM_INSITU "Build the in situ back ends whose libraries are found" ON)

if(ENGRAM_INSITU AND NOT ENGRAM_SANITIZE)
  add_subdirectory(src/insitu/catalyst)
  include(CheckLanguage)
  check_language(CXX)
  if(CMAKE_CXX_COMPILER)
    enable_language(CXX)
    add_subdirectory(src/insitu/paraview)
  endif()
endif()
