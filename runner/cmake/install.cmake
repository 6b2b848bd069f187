# What `cmake --install` puts where. The CMake package and the pkg-config file name no absolute path: the tree may be moved.
include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/graphc")

install(TARGETS graphc_static graphc_shared EXPORT graphcTargets)
install(TARGETS graphc-run)
install(FILES include/graphc.h include/graphc.hpp DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

install(EXPORT graphcTargets NAMESPACE graphc:: DESTINATION "${package_folder}")
configure_package_config_file(cmake/graphcConfig.cmake.in graphcConfig.cmake INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(graphcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/graphcConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/graphcConfigVersion.cmake"
        DESTINATION "${package_folder}")

# From the folder of graphc.pc to the prefix.
string(REGEX REPLACE "[^/]+" ".." to_prefix "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
configure_file(cmake/graphc.pc.in graphc.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/graphc.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
