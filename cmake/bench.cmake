# hf_baseline: bench/baseline.sql as a text in the program, which hands it to pgbench.

set(baseline_script ${PROJECT_SOURCE_DIR}/bench/baseline.sql)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${baseline_script})
file(READ ${baseline_script} HF_BASELINE_SCRIPT)
set(baseline_source ${HF_GENERATED_DIR}/runtime/bench/baseline_script.cpp)
configure_file(${PROJECT_SOURCE_DIR}/cmake/baseline_script.cpp.in ${baseline_source} @ONLY)

add_library(hf_baseline STATIC ${baseline_source})
target_link_libraries(hf_baseline PUBLIC hf_options)
