# Run with `cmake -P`: writes OUTPUT from version.cpp.in with the commit that SOURCE_DIR is at.
set(COMMIT "")
if(GIT)
  execute_process(
    COMMAND ${GIT} -C ${SOURCE_DIR} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE COMMIT
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(COMMIT STREQUAL "")
  set(COMMIT "unknown") # A source archive, or no commit yet.
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.cpp.in ${OUTPUT} @ONLY)
