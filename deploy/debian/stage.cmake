# Run by CPack when the program is installed in the package's folder: the rest of it.
cmake_policy(SET CMP0009 NEW)
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(source ${CPACK_STAKEOUT_SOURCE})
set(documentation ${root}/usr/share/doc/stakeout)
set(readable OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

file(COPY ${source}/deploy/systemd/stakeout.service DESTINATION ${root}/usr/lib/systemd/system FILE_PERMISSIONS ${readable})
file(COPY ${source}/deploy/systemd/stakeout.yaml DESTINATION ${root}/etc/stakeout FILE_PERMISSIONS ${readable})
file(COPY ${source}/README.md ${source}/deploy/debian/copyright DESTINATION ${documentation} FILE_PERMISSIONS ${readable})
file(GLOB pages ${source}/docs/*.md)
file(COPY ${pages} DESTINATION ${documentation}/docs FILE_PERMISSIONS ${readable})
# SOURCE_DATE_EPOCH, where it is set.
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${documentation}/changelog.Debian
    "stakeout (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
    "  * Packaged from the source tree.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
execute_process(COMMAND gzip -9nf ${documentation}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
file(CHMOD ${documentation}/changelog.Debian.gz PERMISSIONS ${readable})
file(GLOB_RECURSE folders LIST_DIRECTORIES true ${root}/*)
foreach(folder IN LISTS folders)
    if(IS_DIRECTORY ${folder})
        file(CHMOD ${folder} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    endif()
endforeach()
foreach(page stakeout.1 stakeout.yaml.5)
    if(NOT EXISTS ${CPACK_STAKEOUT_BUILD}/man/${page}.gz)
        message(FATAL_ERROR "${CPACK_STAKEOUT_BUILD}/man/${page}.gz is missing: build everything before cpack")
    endif()
endforeach()
