# A Debian package: `cpack -G DEB` in the build folder, after a build. It needs dpkg-dev.
# What only a package has (the unit, the configuration, documentation) comes by deploy/debian/stage.cmake; `cmake --install`
# installs the program and its manual pages.
set(STAKEOUT_MAINTAINER "stakeout <stakeout@localhost>" CACHE STRING "Who maintains the Debian package")

# The program as it would be without commands/on_demand.c, so that dpkg-shlibdeps sees every library and every function
# that is needed: built by deploy/debian/depends.cmake and not installed.
add_executable(stakeout_linked EXCLUDE_FROM_ALL commands/main.c)
target_link_libraries(stakeout_linked PRIVATE commands)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME stakeout)
set(CPACK_PACKAGE_CONTACT ${STAKEOUT_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "profiles a service while it spikes, from beside it")
set(CPACK_PACKAGE_DESCRIPTION
    "Samples a service's CPU and memory and its database traffic every second. When a
threshold is crossed, or a spike stands out from what is usual, it takes profiles
from the service's debug endpoint (net/http/pprof of Go) while the spike is
happening, and stores them in a folder or an S3-compatible bucket.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_SCRIPTS ${CMAKE_SOURCE_DIR}/deploy/debian/stage.cmake)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/deploy/debian/depends.cmake)
set(CPACK_STAKEOUT_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_STAKEOUT_BUILD ${CMAKE_BINARY_DIR})
set(CPACK_STAKEOUT_LINKED ${CMAKE_BINARY_DIR}/stakeout_linked)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_SOURCE_DIR}/deploy/debian/conffiles;${CMAKE_SOURCE_DIR}/deploy/debian/postinst;${CMAKE_SOURCE_DIR}/deploy/debian/prerm;${CMAKE_SOURCE_DIR}/deploy/debian/postrm")
include(CPack)
