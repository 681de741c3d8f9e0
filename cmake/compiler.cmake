# How our own code is compiled: the language, the warnings, the hardening, the linker, the caches.
# Everything hangs on the interface target hf_options, so that generated and foreign code is free of it.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Line tables are enough for a stack trace from production; NDEBUG silences only the libraries'
# assertions, for HF_ASSERT does not depend on it.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g")

add_library(hf_options INTERFACE)
target_include_directories(hf_options INTERFACE ${PROJECT_SOURCE_DIR})
# Generated headers are foreign to our warnings.
set(HF_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
target_include_directories(hf_options SYSTEM INTERFACE ${HF_GENERATED_DIR})
target_compile_definitions(hf_options INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(
  hf_options
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wsuggest-override
            -fstack-protector-strong
            # The same names in assertions wherever the checkout lies; a debugger wants the real ones.
            $<$<NOT:$<CONFIG:Debug>>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # All see ghosts in GCC 12: overlapping and overlong copies in std::string's operator+ (its bug
  # 105651), and uninitialised alternatives where a std::variant is moved. Clang and the sanitizers
  # watch instead.
  target_compile_options(
    hf_options INTERFACE -Wno-restrict -Wno-array-bounds -Wno-maybe-uninitialized)
endif()
if(HF_WERROR)
  target_compile_options(hf_options INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # What the optimiser believes to see depends on what it inlines: a warning, not a verdict.
    target_compile_options(
      hf_options INTERFACE -Wno-error=stringop-overflow
                           -Wno-error=stringop-overread -Wno-error=dangling-pointer)
  endif()
endif()

if(HF_SANITIZE)
  add_compile_options(-fsanitize=${HF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HF_SANITIZE})
endif()

# A faster linker changes nothing but the waiting.
include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld)
  check_linker_flag(CXX -fuse-ld=${linker} HF_HAS_${linker})
  if(HF_HAS_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()

find_program(HF_CCACHE_PROGRAM ccache)
mark_as_advanced(HF_CCACHE_PROGRAM)
if(HF_CCACHE AND HF_CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache takes precompiled headers only when told to be lenient about their times.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # It knows the same source in another checkout.
    list(APPEND CMAKE_CXX_COMPILER_LAUNCHER CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1)
  endif()
  list(APPEND CMAKE_CXX_COMPILER_LAUNCHER ${HF_CCACHE_PROGRAM})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()
