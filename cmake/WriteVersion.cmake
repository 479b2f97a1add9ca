cmake_policy(VERSION 3.21)
# Writes the header with version, revision and compiler; called at every build.
set(revision "unknown")
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(revision ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT}.new @ONLY CONTENT
"#ifndef ENGRAM_VERSION_H
#define ENGRAM_VERSION_H
#define ENGRAM_VERSION \"@VERSION@\"
#define ENGRAM_REVISION \"@revision@\"
#define ENGRAM_COMPILER \"@COMPILER@\"
#define ENGRAM_BUILD \"@BUILD@\"
#endif
")
file(COPY_FILE ${OUTPUT}.new ${OUTPUT} ONLY_IF_DIFFERENT)
