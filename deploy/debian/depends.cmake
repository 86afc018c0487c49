# Read by CPack before it makes the package: which packages it depends on, by Debian's own tool.
find_program(SHLIBDEPS dpkg-shlibdeps)
if(NOT SHLIBDEPS)
    message(FATAL_ERROR "dpkg-shlibdeps is missing: install dpkg-dev")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${CPACK_STAKEOUT_BUILD} --target stakeout_linked
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
# It wants to run in a source package.
set(folder ${CPACK_STAKEOUT_BUILD}/shlibdeps)
file(WRITE ${folder}/debian/control "Source: stakeout\n\nPackage: stakeout\nArchitecture: any\n")
execute_process(COMMAND ${SHLIBDEPS} -O ${CPACK_STAKEOUT_LINKED} WORKING_DIRECTORY ${folder}
    OUTPUT_VARIABLE depends ERROR_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
if(NOT depends MATCHES "shlibs:Depends=([^\n]+)")
    message(FATAL_ERROR "dpkg-shlibdeps says nothing: ${said}")
endif()
set(CPACK_DEBIAN_PACKAGE_DEPENDS ${CMAKE_MATCH_1})
