# STAKEOUT_STATIC: the program needs no library where it runs, and brings only what it calls of each. Included before
# libraries are looked for. Archives do not say what they need: stakeout_archives_need() does.
#
# The archives of scripts/image.d/libraries are meant, by PKG_CONFIG_PATH: Debian's own need dozens of others.
#
# The C library looks names up in files and DNS by itself; only other modules of nsswitch.conf are out of its reach, which
# is what the linker warns of.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(STAKEOUT_ON_DEMAND OFF)

function(stakeout_archives_need)
    pkg_check_modules(libssl REQUIRED IMPORTED_TARGET libssl)
    target_link_libraries(PkgConfig::libssl INTERFACE PkgConfig::libcrypto)
    # libpq needs the same, and is linked before: the agent needs it, and libcurl is core's.
    target_link_libraries(PkgConfig::libcurl INTERFACE PkgConfig::libssl PkgConfig::zlib)
    target_compile_definitions(stakeout_flags INTERFACE STAKEOUT_STATIC)
    # The C library is the one that lies with them, or else Debian's of that architecture: a cross-compiler has one of its
    # own, without Debian's updates.
    target_link_options(stakeout_flags INTERFACE -static-pie -Wl,--gc-sections -L${libssl_LIBDIR}
        -B/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/)
endfunction()

# Which archives a program is made of, for scripts/image.d/sbom.
function(stakeout_link_map program)
    target_link_options(${program} PRIVATE -Wl,-Map=${CMAKE_BINARY_DIR}/${program}.map)
endfunction()
