# SPDX-License-Identifier: Apache-2.0
#[[
Finds the single-threaded OpenBLAS and defines the imported target OpenBLASSerial::OpenBLASSerial.

Raphe runs many small products on its own threads, so OpenBLAS must not start threads of its own. Debian keeps every
build of OpenBLAS (serial, pthread, openmp) in a directory of its own and lets the alternatives system decide which of
them the common names libopenblas.so and libopenblas.so.0 mean. Both decisions are therefore made here:
  - linking: the library is taken from its directory .../openblas-serial;
  - running: all builds share the soname libopenblas.so.0, so the target adds that directory to the run path of whatever
    links it, in the build tree and when installed. Without it the loader would take what the alternatives point to.

Beware: Debian 12 builds the serial library without USE_LOCKING, so two threads must not be inside it at once: they can be
given the same scratch buffer, and then products come out wrong, silently and now and then. Callers must take turns, or
use Eigen's own kernels (no EIGEN_USE_BLAS), which need no lock.

Without a serial build, any OpenBLAS is taken, with a warning.

Sets OpenBLASSerial_FOUND, OpenBLASSerial_VERSION and OpenBLASSerial_IS_SERIAL. Cache: OpenBLASSerial_LIBRARY,
OpenBLASSerial_INCLUDE_DIR.
]]

set(_openblas_serial_library_dirs)
set(_openblas_serial_include_dirs)
foreach(_prefix IN ITEMS /usr /usr/local ${CMAKE_PREFIX_PATH})
  if(CMAKE_LIBRARY_ARCHITECTURE)
    list(APPEND _openblas_serial_library_dirs ${_prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial)
    list(APPEND _openblas_serial_include_dirs ${_prefix}/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial)
  endif()
  list(APPEND _openblas_serial_library_dirs ${_prefix}/lib/openblas-serial ${_prefix}/lib64/openblas-serial)
  list(APPEND _openblas_serial_include_dirs ${_prefix}/include/openblas-serial)
endforeach()

find_library(OpenBLASSerial_LIBRARY NAMES openblas PATHS ${_openblas_serial_library_dirs} NO_DEFAULT_PATH
             DOC "The single-threaded OpenBLAS")
find_library(OpenBLASSerial_LIBRARY NAMES openblas_serial openblas)
find_path(OpenBLASSerial_INCLUDE_DIR NAMES openblas_config.h PATHS ${_openblas_serial_include_dirs} NO_DEFAULT_PATH
          DOC "Directory of the headers of the single-threaded OpenBLAS")
find_path(OpenBLASSerial_INCLUDE_DIR NAMES openblas_config.h PATH_SUFFIXES openblas)
mark_as_advanced(OpenBLASSerial_LIBRARY OpenBLASSerial_INCLUDE_DIR)

set(OpenBLASSerial_IS_SERIAL FALSE)
if(OpenBLASSerial_LIBRARY MATCHES "openblas[-_]serial")
  set(OpenBLASSerial_IS_SERIAL TRUE)
endif()

if(OpenBLASSerial_INCLUDE_DIR AND EXISTS ${OpenBLASSerial_INCLUDE_DIR}/openblas_config.h)
  file(STRINGS ${OpenBLASSerial_INCLUDE_DIR}/openblas_config.h _openblas_serial_line REGEX "OPENBLAS_VERSION \" OpenBLAS ")
  if(_openblas_serial_line MATCHES "OpenBLAS ([0-9]+(\\.[0-9]+)*)")
    set(OpenBLASSerial_VERSION ${CMAKE_MATCH_1})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLASSerial
  REQUIRED_VARS OpenBLASSerial_LIBRARY OpenBLASSerial_INCLUDE_DIR
  VERSION_VAR OpenBLASSerial_VERSION
  REASON_FAILURE_MESSAGE "On Debian, install libopenblas-serial-dev.")

if(OpenBLASSerial_FOUND AND NOT TARGET OpenBLASSerial::OpenBLASSerial)
  if(NOT OpenBLASSerial_IS_SERIAL)
    message(WARNING "The single-threaded OpenBLAS was not found, so ${OpenBLASSerial_LIBRARY} is used. If that build starts "
                    "threads, set OPENBLAS_NUM_THREADS=1 when running, or install libopenblas-serial-dev.")
  endif()
  add_library(OpenBLASSerial::OpenBLASSerial UNKNOWN IMPORTED)
  set_target_properties(OpenBLASSerial::OpenBLASSerial PROPERTIES
    IMPORTED_LOCATION ${OpenBLASSerial_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OpenBLASSerial_INCLUDE_DIR})
  if(OpenBLASSerial_IS_SERIAL AND NOT OpenBLASSerial_LIBRARY MATCHES "\\.a$")
    get_filename_component(_openblas_serial_dir ${OpenBLASSerial_LIBRARY} DIRECTORY)
    set_property(TARGET OpenBLASSerial::OpenBLASSerial PROPERTY INTERFACE_LINK_OPTIONS
                 "LINKER:-rpath,${_openblas_serial_dir}")
  endif()
endif()
