# speedscope, built into the program. It is fetched from the npm registry by package-lock.json (exact
# versions with the hashes of what comes) into the build folder when CMake configures, compressed, and
# put into the program as read-only data in pages of its own: an agent that never serves it never
# reads them from the disk, so that they cost it no memory.
#
# Without npm, and where the registry cannot be reached, AUTO builds a program without speedscope.

set(STAKEOUT_SPEEDSCOPE AUTO CACHE STRING "Build speedscope into the review page: AUTO, ON or OFF")
set_property(CACHE STAKEOUT_SPEEDSCOPE PROPERTY STRINGS AUTO ON OFF)

set(speedscope_source ${CMAKE_CURRENT_LIST_DIR})
set(speedscope_build ${CMAKE_BINARY_DIR}/speedscope)
set(speedscope_package ${speedscope_build}/node_modules/speedscope)
# Neither its formats' schema nor the decoder of Java's recordings: the page opens pprof profiles.
set(speedscope_files index.html speedscope-*.js speedscope-*.css *.woff2 *.png *.ico *.txt)

# Where speedscope could not be had: said, or in the way of ON.
function(speedscope_missing reason remedy)
    if(STAKEOUT_SPEEDSCOPE STREQUAL "ON")
        message(FATAL_ERROR "speedscope cannot be built in: ${reason}. ${remedy}")
    endif()
    message(STATUS "Building without speedscope (the review page will not link to it): ${reason}. "
        "${remedy}")
endfunction()

# Fetches what the lock file names, once; npm's own cache serves further build folders. Sets `available`.
function(speedscope_fetch available)
    set(${available} FALSE PARENT_SCOPE)
    set(stamp ${speedscope_build}/fetched)
    file(SHA256 ${speedscope_source}/package-lock.json wanted)
    if(EXISTS ${stamp})
        file(READ ${stamp} fetched)
    endif()
    if(NOT fetched STREQUAL wanted)
        find_program(STAKEOUT_NPM npm)
        if(NOT STAKEOUT_NPM)
            speedscope_missing("there is no npm" "scripts/setup build installs it; then configure again.")
            return()
        endif()
        file(REMOVE ${stamp})
        file(COPY ${speedscope_source}/package.json ${speedscope_source}/package-lock.json
            DESTINATION ${speedscope_build})
        execute_process(
            COMMAND ${STAKEOUT_NPM} ci --ignore-scripts --no-audit --no-fund --prefer-offline
                --fetch-retries=1 --fetch-retry-mintimeout=500 --fetch-retry-maxtimeout=2000
                --fetch-timeout=20000
            WORKING_DIRECTORY ${speedscope_build} TIMEOUT 300 RESULT_VARIABLE failed
            OUTPUT_FILE ${speedscope_build}/npm.log ERROR_FILE ${speedscope_build}/npm.log)
        if(failed)
            speedscope_missing("npm could not fetch it"
                "Why is in ${speedscope_build}/npm.log; configure again to retry.")
            return()
        endif()
        file(WRITE ${stamp} ${wanted})
    endif()
    set(${available} TRUE PARENT_SCOPE)
endfunction()

# What speedscope, the libraries in it and its font may be used under, as one text.
function(speedscope_write_license file)
    file(READ ${speedscope_package}/LICENSE own)
    file(READ ${speedscope_source}/speedscope.NOTICE libraries)
    file(READ ${speedscope_package}/dist/release/source-code-pro.LICENSE.md font)
    file(WRITE ${file} "speedscope:\n\n${own}${libraries}${font}")
endfunction()

function(speedscope_content_type file type)
    set(type_html "text/html; charset=utf-8")
    set(type_js "text/javascript; charset=utf-8")
    set(type_css "text/css; charset=utf-8")
    set(type_woff2 "font/woff2")
    set(type_png "image/png")
    set(type_ico "image/x-icon")
    string(REGEX REPLACE "^.*[.]" "" extension ${file})
    if(DEFINED type_${extension})
        set(${type} "${type_${extension}}" PARENT_SCOPE)
    else()
        set(${type} "text/plain; charset=utf-8" PARENT_SCOPE)
    endif()
endfunction()

# Writes the table of review/web/assets_table.h over the given files, each of which gets compressed.
function(speedscope_write_table source)
    set(rows "")
    set(data "")
    set(number 0)
    file(MAKE_DIRECTORY ${speedscope_build}/gz)
    foreach(file IN LISTS ARGN)
        get_filename_component(name ${file} NAME)
        set(packed ${speedscope_build}/gz/${name}.gz)
        execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
        file(SIZE ${packed} size)
        speedscope_content_type(${name} type)
        string(APPEND data "    \"asset_${number}: .incbin \\\"${packed}\\\"\\n\"\n")
        string(APPEND externs "extern const unsigned char asset_${number}[] "
            "__attribute__((visibility(\"hidden\")));\n")
        string(APPEND rows
            "    {\"/speedscope/${name}\", \"${type}\", asset_${number}, ${size}, true},\n")
        list(APPEND packed_files ${packed})
        math(EXPR number "${number} + 1")
    endforeach()
    file(CONFIGURE OUTPUT ${source} CONTENT [[
/* Written by review/web/speedscope.cmake. */
#include "review/web/assets_table.h"

__asm__(".pushsection .speedscope, \"a\", %progbits\n"
    ".balign 4096\n"
@data@    ".popsection\n");
@externs@
static const struct asset assets[] = {
@rows@};

const struct asset_table assets_built_in = {assets, @number@};
]] @ONLY)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${packed_files}")
endfunction()

# Adds what is built in to a library: speedscope, or a table of nothing.
function(speedscope_build_into library)
    set(source ${speedscope_build}/assets_built_in.c)
    set(available FALSE)
    if(STAKEOUT_SPEEDSCOPE)
        speedscope_fetch(available)
    endif()
    if(available)
        list(TRANSFORM speedscope_files PREPEND ${speedscope_package}/dist/release/)
        file(GLOB files ${speedscope_files})
        speedscope_write_license(${speedscope_build}/LICENSE)
        speedscope_write_table(${source} ${files} ${speedscope_build}/LICENSE)
    else()
        file(CONFIGURE OUTPUT ${source} CONTENT [[
/* Written by review/web/speedscope.cmake: nothing is built in. */
#include "review/web/assets_table.h"

const struct asset_table assets_built_in = {0};
]])
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${speedscope_source}/package-lock.json ${speedscope_source}/speedscope.NOTICE)
    target_sources(${library} PRIVATE ${source})
endfunction()
