# stakeout_embed(TARGET NAME FILE): puts a file into a target as it is, so that the program needs no file beside it.
# C code gets it with EMBEDDED(NAME) from review/page/embedded.h. FILE is relative to the source tree unless it is
# absolute; it may be one that the build makes. The assembler reads it: gcc and clang both have .incbin, and a file of
# megabytes costs no time.
function(stakeout_embed target name file)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE STAKEOUT_EMBED_PATH)
    set(STAKEOUT_EMBED_NAME ${name})
    cmake_path(GET file FILENAME STAKEOUT_EMBED_FILE)
    set(source ${CMAKE_BINARY_DIR}/embedded/${name}.c)
    configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.c.in ${source} @ONLY)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${STAKEOUT_EMBED_PATH})
    target_sources(${target} PRIVATE ${source})
endfunction()
