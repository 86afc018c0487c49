# The manual pages: the program prints them itself, so that they are of the same tables as its help. They are installed
# compressed where gzip is found. Where this machine cannot run what it builds (and CMAKE_CROSSCOMPILING_EMULATOR does not
# say how) there are none.
include(GNUInstallDirs)
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(STATUS "no manual pages: ${CMAKE_SYSTEM_PROCESSOR} programs cannot be run here")
    return()
endif()
find_program(GZIP gzip)

function(stakeout_man name section)
    set(page ${CMAKE_BINARY_DIR}/man/${name}.${section})
    if(GZIP)
        set(compressed ${page}.gz)
        set(compress COMMAND ${GZIP} -9nkf ${page})
    endif()
    add_custom_command(OUTPUT ${page} ${compressed}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
        COMMAND stakeout ${ARGN} > ${page}
        ${compress}
        DEPENDS stakeout
        COMMENT "Printing ${name}(${section})"
        VERBATIM)
    if(GZIP)
        set(page ${compressed})
    endif()
    # OPTIONAL: where only the target stakeout was built there are none.
    install(FILES ${page} OPTIONAL DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    set(man_pages ${man_pages} ${page} PARENT_SCOPE)
endfunction()

stakeout_man(stakeout 1 --man)
stakeout_man(stakeout.yaml 5 config --man)
add_custom_target(man ALL DEPENDS ${man_pages})
