# Installation: library, program, headers, CMake package and pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS engram EXPORT engram-targets)
install(TARGETS engram_program)
install(DIRECTORY include/engram DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY input jobscripts DESTINATION ${CMAKE_INSTALL_DATADIR}/engram)
install(DIRECTORY tools DESTINATION ${CMAKE_INSTALL_DATADIR}/engram USE_SOURCE_PERMISSIONS
  FILES_MATCHING PATTERN "*.py" PATTERN __pycache__ EXCLUDE PATTERN benchmark EXCLUDE)
install(FILES LICENSE CITATION.cff DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/engram)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
install(EXPORT engram-targets NAMESPACE engram:: DESTINATION ${package_dir})
configure_package_config_file(cmake/engram-config.cmake.in
  ${PROJECT_BINARY_DIR}/engram-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/engram-config-version.cmake
  COMPATIBILITY SameMinorVersion)
# The prefix is found from the file's own place, so that an installation can be moved.
file(RELATIVE_PATH engram_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/engram.pc.in ${PROJECT_BINARY_DIR}/engram.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/engram-config.cmake
              ${PROJECT_BINARY_DIR}/engram-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/Dependencies.cmake
        DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/engram.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
