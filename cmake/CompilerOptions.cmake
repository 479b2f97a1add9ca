# Compiler options of all targets, and those of the kernels.
include(CheckCCompilerFlag)

# Contraction and reassociation are decided in the source, so that a number does not depend on its
# place in a vector: see src/kernels/arithmetic.h.
set(engram_arithmetic_options -ffp-contract=off)

# Loops of kernels are vectorised over slices; these two do not change any result.
set(engram_kernel_options -O3 -fno-math-errno -fno-trapping-math)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(engram_kernel_options -fno-math-errno -fno-trapping-math)
endif()
if(ENGRAM_SANITIZE)
  # To follow variables through what is inlined takes longer than all the rest.
  check_c_compiler_flag(-fno-var-tracking ENGRAM_HAS_NO_VAR_TRACKING)
  if(ENGRAM_HAS_NO_VAR_TRACKING)
    list(APPEND engram_kernel_options -fno-var-tracking)
  endif()
  # Nor does anything outlive its scope where all is inlined, and each access is looked at, so that
  # the pointer need not be: both checks together treble the time.
  check_c_compiler_flag(-fno-sanitize-address-use-after-scope ENGRAM_HAS_NO_USE_AFTER_SCOPE)
  if(ENGRAM_HAS_NO_USE_AFTER_SCOPE)
    list(APPEND engram_kernel_options -fno-sanitize-address-use-after-scope)
  endif()
  check_c_compiler_flag("-fsanitize=undefined -fno-sanitize=pointer-overflow"
    ENGRAM_HAS_NO_POINTER_OVERFLOW)
  if(ENGRAM_HAS_NO_POINTER_OVERFLOW)
    list(APPEND engram_kernel_options -fno-sanitize=pointer-overflow)
  endif()
endif()

set(engram_build_suffix "")
if(ENGRAM_NATIVE)
  check_c_compiler_flag(-march=native ENGRAM_HAS_MARCH_NATIVE)
  if(ENGRAM_HAS_MARCH_NATIVE)
    list(APPEND engram_arithmetic_options -march=native)
    set(engram_build_suffix ", native")
  endif()
  check_c_compiler_flag(-mprefer-vector-width=512 ENGRAM_HAS_VECTOR_WIDTH)
  if(ENGRAM_HAS_VECTOR_WIDTH)
    list(APPEND engram_kernel_options -mprefer-vector-width=512)
  endif()
endif()

function(engram_compiler_options target)
  target_compile_features(${target} PUBLIC c_std_11)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
  target_compile_options(${target} PRIVATE ${engram_arithmetic_options}
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wundef)
  if(ENGRAM_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(ENGRAM_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined
                           -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()
