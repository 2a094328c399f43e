# SPDX-License-Identifier: Apache-2.0
# Finds the Qt 6 build of QCustomPlot and defines QCustomPlotQt6::QCustomPlotQt6. Debian's libqcustomplot-dev carries a
# CMake package; elsewhere the header and the library are looked for by name. Qt6 Widgets and PrintSupport come first.
find_package(QCustomPlotQt6 QUIET CONFIG)
if(NOT TARGET QCustomPlotQt6::QCustomPlotQt6)
  find_path(QCustomPlotQt6_INCLUDE_DIR qcustomplot.h)
  find_library(QCustomPlotQt6_LIBRARY NAMES QCustomPlotQt6 qcustomplot-qt6 libQCustomPlotQt6.so.2.1)
endif()
include(FindPackageHandleStandardArgs)
if(TARGET QCustomPlotQt6::QCustomPlotQt6)
  find_package_handle_standard_args(QCustomPlotQt6 REQUIRED_VARS QCustomPlotQt6_CONFIG)
else()
  find_package_handle_standard_args(QCustomPlotQt6
    REQUIRED_VARS QCustomPlotQt6_LIBRARY QCustomPlotQt6_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian, install libqcustomplot-dev and libqcustomplot2.1-qt6.")
  if(QCustomPlotQt6_FOUND)
    add_library(QCustomPlotQt6::QCustomPlotQt6 UNKNOWN IMPORTED)
    set_target_properties(QCustomPlotQt6::QCustomPlotQt6 PROPERTIES
      IMPORTED_LOCATION "${QCustomPlotQt6_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${QCustomPlotQt6_INCLUDE_DIR}"
      INTERFACE_LINK_LIBRARIES "Qt6::Widgets;Qt6::PrintSupport")
  endif()
endif()
