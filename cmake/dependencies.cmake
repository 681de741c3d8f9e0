# The libraries that we stand on. `make setup` (tools/setup.sh) installs all of them on Debian.

set(CMAKE_THREAD_PREFER_PTHREAD TRUE)
set(THREADS_PREFER_PTHREAD_FLAG TRUE)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(Protobuf 3.21 REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(date CONFIG REQUIRED) # time zones: the standard library of GCC 12 has none

# A payment is made of many small objects that one thread allocates and another frees. glibc makes
# both wait for the same lock; jemalloc hands such memory over in batches. Sanitizers bring their own.
if(NOT HF_SANITIZE)
  find_library(HF_ALLOCATOR NAMES jemalloc REQUIRED)
  mark_as_advanced(HF_ALLOCATOR)
endif()

set(hf_boost_components json)
if(BUILD_TESTING)
  list(APPEND hf_boost_components unit_test_framework)
endif()
find_package(Boost 1.81 REQUIRED COMPONENTS ${hf_boost_components})

# A CAF that the user has (CAF_ROOT, a toolchain file of vcpkg or Conan, Homebrew, /usr/local) comes
# first, then the one that tools/caf.sh has built. CAF declares every release incompatible with
# every other, which find_package would take literally; so the version is compared here.
set(hf_caf_version_min 0.18.7)
set(hf_caf_components core io openssl)
find_package(CAF CONFIG QUIET)
if(NOT CAF_FOUND OR CAF_VERSION VERSION_LESS hf_caf_version_min)
  if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(hf_cache $ENV{XDG_CACHE_HOME})
  else()
    set(hf_cache $ENV{HOME}/.cache)
  endif()
  unset(CAF_DIR CACHE)
  find_package(CAF CONFIG QUIET PATHS ${hf_cache}/holdfast/caf NO_DEFAULT_PATH)
endif()
if(NOT CAF_FOUND OR CAF_VERSION VERSION_LESS hf_caf_version_min)
  message(FATAL_ERROR "CAF ${hf_caf_version_min} or newer was not found. Run `make setup`, which builds it, "
                      "or set CAF_ROOT to where yours is installed.")
endif()
foreach(component IN LISTS hf_caf_components)
  if(NOT TARGET CAF::${component})
    message(FATAL_ERROR "The CAF in ${CAF_DIR} was built without CAF::${component}")
  endif()
endforeach()
message(STATUS "CAF ${CAF_VERSION}: ${CAF_DIR}")
