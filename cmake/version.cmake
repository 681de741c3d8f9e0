# hf_version: "runtime/version.hpp", generated. The commit is compiled into one small source, so that
# a new commit rebuilds that one and links, no more.

set(HF_COMMIT_STAMP)
find_package(Git QUIET)
if(Git_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  # Git appends to this file whenever HEAD moves, in work trees too.
  execute_process(
    COMMAND ${GIT_EXECUTABLE} rev-parse --path-format=absolute --git-path logs/HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE HF_COMMIT_STAMP
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT EXISTS "${HF_COMMIT_STAMP}")
    set(HF_COMMIT_STAMP)
  endif()
endif()

set(version_header ${HF_GENERATED_DIR}/runtime/version.hpp)
set(version_source ${HF_GENERATED_DIR}/runtime/version.cpp)
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.hpp.in ${version_header} @ONLY)
add_custom_command(
  OUTPUT ${version_source}
  COMMAND
    ${CMAKE_COMMAND} -D GIT=${GIT_EXECUTABLE} -D SOURCE_DIR=${PROJECT_SOURCE_DIR}
    -D VERSION=${PROJECT_VERSION} -D OUTPUT=${version_source}
    -P ${PROJECT_SOURCE_DIR}/cmake/write_version.cmake
  DEPENDS ${HF_COMMIT_STAMP} ${PROJECT_SOURCE_DIR}/cmake/write_version.cmake
          ${PROJECT_SOURCE_DIR}/cmake/version.cpp.in ${PROJECT_SOURCE_DIR}/CMakeLists.txt
  COMMENT "Writing the version"
  VERBATIM)

add_library(hf_version STATIC ${version_source} ${version_header})
target_link_libraries(hf_version PUBLIC hf_options)
