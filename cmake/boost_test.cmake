# Boost.Test under CTest.

# hf_add_test_program(<name> DIRECTORY <folder> LABEL <label> TIMEOUT_S <seconds a suite>)
# One program of all sources below the folder. After each build it is asked for its suites, and each
# of them becomes a CTest entry "<label>.<suite>".
function(hf_add_test_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DIRECTORY;LABEL;TIMEOUT_S" "")
  hf_glob(sources .cpp ${arg_DIRECTORY})
  if(NOT sources)
    message(STATUS "${name}: no sources")
    return()
  endif()
  set(off ${PROJECT_SOURCE_DIR}/runtime/fault_points_off.cpp)
  if(EXISTS ${off})
    list(APPEND sources ${off})
  endif()

  add_executable(${name} main.cpp ${sources})
  target_compile_definitions(${name} PRIVATE HF_TEST_MODULE="${name}")
  target_link_libraries(${name} PRIVATE hf_test_support)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(HF_PCH)
    target_precompile_headers(${name} PRIVATE <boost/test/unit_test.hpp>)
  endif()
  if(TARGET holdfast)
    # The tests start the real programs.
    add_dependencies(${name} holdfast holdfast_faulty)
  endif()

  set(list_file ${CMAKE_CURRENT_BINARY_DIR}/${name}.ctest.cmake)
  add_custom_command(
    TARGET ${name}
    POST_BUILD
    COMMAND
      ${CMAKE_COMMAND} -D PROGRAM=$<TARGET_FILE:${name}> -D LABEL=${arg_LABEL}
      -D TIMEOUT_S=${arg_TIMEOUT_S} -D SOURCE_DIR=${PROJECT_SOURCE_DIR}
      -D BINARY_DIR=${PROJECT_BINARY_DIR} -D OUTPUT=${list_file}
      -P ${PROJECT_SOURCE_DIR}/cmake/list_suites.cmake
    BYPRODUCTS ${list_file}
    COMMENT "Listing the suites of ${name}"
    VERBATIM)

  # Until the program is built, CTest must not take its absence for success.
  set(include_file ${CMAKE_CURRENT_BINARY_DIR}/${name}.include.cmake)
  file(CONFIGURE OUTPUT ${include_file} @ONLY CONTENT [[
if(EXISTS "@list_file@")
  include("@list_file@")
else()
  add_test(@arg_LABEL@.not_built "@name@ is not built")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include_file})
endfunction()
