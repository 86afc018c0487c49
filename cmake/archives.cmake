# STAKEOUT_STATIC: every library but the C library's own is linked from its archive, so that the program brings only what
# it calls. Included before libraries are looked for. Archives do not say what they need: stakeout_archives_need() does.
#
# libcurl, libmicrohttpd and libunwind of scripts/image.d/libraries are meant, by PKG_CONFIG_PATH: Debian's own archives
# need dozens of others.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(STAKEOUT_ON_DEMAND OFF)

function(stakeout_archives_need)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    pkg_check_modules(libssl REQUIRED IMPORTED_TARGET libssl)
    target_link_libraries(PkgConfig::libssl INTERFACE PkgConfig::libcrypto)
    target_link_libraries(PkgConfig::libcurl INTERFACE PkgConfig::libssl PkgConfig::zlib)
    target_link_options(stakeout_flags INTERFACE -Wl,--gc-sections)
endfunction()
