# find_package(backworks) gives the target backworks::plugin, which has the path of the headers, and the
# function backworks_add_plugin().
#
# SPDX-License-Identifier: MIT

get_filename_component(_backworks_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET backworks::plugin)
  add_library(backworks::plugin INTERFACE IMPORTED)
  set_target_properties(backworks::plugin PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${_backworks_prefix}/include")
endif()

unset(_backworks_prefix)

# backworks_add_plugin(name source...) builds the shared library lib<name>, which exports only the functions
# that the server calls.
function(backworks_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE backworks::plugin)
  set_target_properties(${name} PROPERTIES
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()
endfunction()
