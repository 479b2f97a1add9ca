# Kernels whose speed and last bits depend on the instructions of the processor. A build for this
# machine compiles them once, like all else. One for all x86-64 compiles them once for each set of
# instructions: src/kernels/kernel_set.c takes one of them when the program starts.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

set(engram_dispatched_kernels extrapolate face_weights slice_measure slice_quasi_static slice_step
  slice_trial transport transport_fifth
  transport_implicit transport_limited)
list(TRANSFORM engram_dispatched_kernels PREPEND ${PROJECT_SOURCE_DIR}/src/kernels/)
list(TRANSFORM engram_dispatched_kernels APPEND .c)

# What EngramKernelSetBest asks the processor for.
set(engram_kernel_flags_sse2 "")
set(engram_kernel_flags_avx2 -mavx2 -mfma)
set(engram_kernel_flags_avx512 -mavx512f -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512)

set(engram_kernel_sets "")
if(NOT ENGRAM_NATIVE)
  # Whoever asks for more in CMAKE_C_FLAGS has chosen.
  check_c_source_compiles("
    #if !defined(__x86_64__) || defined(__AVX__)
    #error
    #endif
    int main(void) { return __builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"fma\"); }"
    ENGRAM_IS_FOR_ANY_X86_64)
  string(REPLACE ";" " " flags "${engram_kernel_flags_avx512}")
  check_c_compiler_flag("${flags}" ENGRAM_HAS_AVX512)
  if(ENGRAM_IS_FOR_ANY_X86_64)
    set(engram_kernel_sets sse2 avx2)
  endif()
  # Under the sanitizers kernels take long to compile, and few machines of tests would run these.
  if(ENGRAM_IS_FOR_ANY_X86_64 AND ENGRAM_HAS_AVX512 AND NOT ENGRAM_SANITIZE)
    list(APPEND engram_kernel_sets avx512)
  endif()
endif()

# The kernels once more, under names that end in _<set>, with these options.
function(engram_add_kernel_set target set)
  add_library(${target} OBJECT ${engram_dispatched_kernels})
  engram_compiler_options(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE ENGRAM_KERNEL_SET=${set})
  target_compile_options(${target} PRIVATE
    "SHELL:-include ${PROJECT_SOURCE_DIR}/src/kernels/kernel_names.h" ${engram_kernel_options} ${ARGN})
  # To instrument the kernels takes a minute a set: one is enough, that of most machines.
  if(ENGRAM_SANITIZE AND set STREQUAL "sse2")
    target_compile_options(${target} PRIVATE -fno-sanitize=all)
  endif()
  # Those who analyse the source by its compile commands need each file once.
  if(NOT set STREQUAL "sse2")
    set_target_properties(${target} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
  endif()
  if(BUILD_SHARED_LIBS)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
endfunction()
