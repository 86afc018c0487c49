# A toolchain of Debian's: -DCMAKE_TOOLCHAIN_FILE=cmake/debian-cross.cmake with STAKEOUT_CROSS=TRIPLET in the environment,
# like aarch64-linux-gnu (scripts/setup arm64 installs what that needs). Tests run under qemu-user.
set(triplet $ENV{STAKEOUT_CROSS})
string(REGEX REPLACE "-.*" "" processor "${triplet}")
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${processor})
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})
if(NOT DEFINED ENV{PKG_CONFIG_LIBDIR})
    set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${triplet}/pkgconfig:/usr/share/pkgconfig)
endif()
if(NOT processor STREQUAL CMAKE_HOST_SYSTEM_PROCESSOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${processor}-static)
endif()
