# KERNEL_OBJECTS: the objects of libgraphc_kernels.a, taken out of it so that they become part of the runner's own libraries.
set(KERNEL_ARCHIVE "${GRAPHC_KERNELS}/libgraphc_kernels.a")
if(NOT EXISTS "${KERNEL_ARCHIVE}")
  message(FATAL_ERROR "${KERNEL_ARCHIVE} is missing: run `python -m graphc.kernels build --out ${GRAPHC_KERNELS}`")
endif()
# Another archive may have other members.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${KERNEL_ARCHIVE}")
execute_process(COMMAND "${CMAKE_AR}" t "${KERNEL_ARCHIVE}" OUTPUT_VARIABLE members RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${KERNEL_ARCHIVE} cannot be read: ${failed}")
endif()
string(REGEX MATCHALL "[^\n]+" members "${members}")
set(folder "${CMAKE_CURRENT_BINARY_DIR}/kernels")
file(MAKE_DIRECTORY "${folder}")
list(TRANSFORM members PREPEND "${folder}/" OUTPUT_VARIABLE KERNEL_OBJECTS)
add_custom_command(OUTPUT ${KERNEL_OBJECTS} COMMAND "${CMAKE_AR}" x "${KERNEL_ARCHIVE}" DEPENDS "${KERNEL_ARCHIVE}"
                   WORKING_DIRECTORY "${folder}" COMMENT "Taking the kernels out of ${KERNEL_ARCHIVE}" VERBATIM)
set_source_files_properties(${KERNEL_OBJECTS} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
# One target makes them; those that use them wait for it.
add_custom_target(graphc_kernel_objects DEPENDS ${KERNEL_OBJECTS})
