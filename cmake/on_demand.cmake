# stakeout_on_demand(TARGET LIBRARY...): a program loads these libraries (names of pkg-config modules, found before) when
# it first calls them; see commands/on_demand.c, which lists the functions. The linker drops what nobody needs any more;
# a function that is missing from the list brings its library back, which the test `on_demand` finds.
function(stakeout_on_demand target)
    foreach(library IN LISTS ARGN)
        list(GET ${library}_LINK_LIBRARIES 0 file)
        execute_process(COMMAND ${CMAKE_READELF} -d ${file} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
        string(REGEX MATCH "SONAME[^[]*\\[([^]]+)\\]" matched "${dynamic}")
        string(TOUPPER STAKEOUT_${library} macro)
        list(APPEND names ${macro}="${CMAKE_MATCH_1}")
    endforeach()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/commands/on_demand.c)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/commands/on_demand.c PROPERTIES COMPILE_DEFINITIONS "${names}")
    target_link_options(${target} PRIVATE -Wl,--as-needed)
endfunction()
