# SPDX-License-Identifier: Apache-2.0

# raphe_add_plugin(NAME SOURCE... [VERSION v] [LICENCE l])
# A shared library that Raphe loads: hidden symbols, none undefined, built only against raphe::sdk, with its manifest
# NAME.json beside it. Inside Raphe's own build the library lands where the programs look for plugins.
function(raphe_add_plugin name)
  cmake_parse_arguments(PLUGIN "" "VERSION;LICENCE" "" ${ARGN})
  if(NOT PLUGIN_VERSION)
    set(PLUGIN_VERSION ${PROJECT_VERSION})
  endif()
  if(NOT PLUGIN_VERSION)
    set(PLUGIN_VERSION 1.0.0)
  endif()
  if(NOT PLUGIN_LICENCE)
    set(PLUGIN_LICENCE Apache-2.0)
  endif()
  set(target raphe_plugin_${name})
  add_library(${target} MODULE ${PLUGIN_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE raphe::sdk $<$<TARGET_EXISTS:raphe_warnings>:raphe_warnings>)
  target_compile_definitions(${target} PRIVATE
    RAPHE_PLUGIN_NAME="${name}" RAPHE_PLUGIN_VERSION="${PLUGIN_VERSION}" RAPHE_PLUGIN_LICENCE="${PLUGIN_LICENCE}")
  if(NOT RAPHE_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(RAPHE_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${RAPHE_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND raphe::manifest $<TARGET_FILE:${target}> VERBATIM COMMENT "Writing the manifest of ${name}")
  add_dependencies(${target} raphe::manifest)
  if(RAPHE_PLUGIN_OUTPUT_DIRECTORY)
    set_property(GLOBAL APPEND PROPERTY RAPHE_PLUGINS ${name})
    install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/raphe/plugins)
    install(FILES $<TARGET_FILE_DIR:${target}>/${name}.json DESTINATION ${CMAKE_INSTALL_LIBDIR}/raphe/plugins)
  endif()
endfunction()
