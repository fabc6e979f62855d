# Flags for our own code only: warnings are errors, sanitizers where asked.
add_library(doorward_flags INTERFACE)
target_compile_options(doorward_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wold-style-cast -Woverloaded-virtual -Wextra-semi -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside coroutine frames and inlined library code that is sound.
  target_compile_options(doorward_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow
    -Wno-stringop-overread -Wno-restrict)
endif()
if(DOORWARD_SANITIZE)
  add_compile_options(-fsanitize=${DOORWARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DOORWARD_SANITIZE})
endif()

# Asio is read once for the layers that use it, and once more, with Catch2, for the tests. A unit must still name what it
# uses: clang-tidy's configuration, and any other with DOORWARD_PRECOMPILE off, has none of this.
set(doorward_cold $<$<CONFIG:Release>:-O1>)
option(DOORWARD_PRECOMPILE "Precompile the headers of Asio and Catch2" ON)
set(common_headers <algorithm> <array> <chrono> <coroutine> <functional> <memory> <optional> <span> <string>
  <string_view> <utility> <vector> <fmt/format.h> <boost/asio/io_context.hpp> <boost/asio/basic_stream_socket.hpp>
  <boost/asio/basic_waitable_timer.hpp> <boost/asio/generic/stream_protocol.hpp> <boost/intrusive/list.hpp>)

# doorward_precompile(TARGET header...): TARGET, a library without a unit of its own, offers these to others.
function(doorward_precompile target)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${target}.cpp CONTENT "")
  add_library(${target} STATIC ${PROJECT_BINARY_DIR}/${target}.cpp)
  target_link_libraries(${target} PRIVATE doorward_boost fmt::fmt doorward_flags)
  if(DOORWARD_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
function(doorward_use_precompiled target from)
  if(DOORWARD_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
doorward_precompile(doorward_precompiled ${common_headers})

# Beast and Asio are compiled once, here, and nowhere else.
add_library(doorward_asio STATIC ${PROJECT_SOURCE_DIR}/src/asio.cpp)
target_link_libraries(doorward_asio PUBLIC doorward_boost OpenSSL::SSL Threads::Threads)

# doorward_layer(NAME [PRECOMPILED] [COLD] [USES layer...] [LIBRARIES lib...] [PRIVATE_LIBRARIES lib...])
#
# Makes the static library doorward_NAME from src/NAME/*.cpp. What it may include: include/doorward (light
# headers of every layer) and its own src/NAME. PRIVATE_LIBRARIES are the heavy ones that no header shows. PRECOMPILED:
# it uses Asio. COLD: no request passes through it, so the compiler need not try hard.
function(doorward_layer name)
  cmake_parse_arguments(arg "PRECOMPILED;COLD" "" "USES;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(TRANSFORM arg_USES PREPEND doorward_)
  if(sources)
    add_library(doorward_${name} STATIC ${sources})
    target_link_libraries(doorward_${name}
      PUBLIC ${arg_USES} ${arg_LIBRARIES}
      PRIVATE doorward_flags ${arg_PRIVATE_LIBRARIES})
    target_include_directories(doorward_${name}
      PUBLIC ${PROJECT_SOURCE_DIR}/include
      PRIVATE ${PROJECT_SOURCE_DIR}/src)
    if(arg_PRECOMPILED)
      doorward_use_precompiled(doorward_${name} doorward_precompiled)
    endif()
    if(arg_COLD)
      target_compile_options(doorward_${name} PRIVATE ${doorward_cold})
    endif()
  else()
    add_library(doorward_${name} INTERFACE)
    target_link_libraries(doorward_${name} INTERFACE ${arg_USES} ${arg_LIBRARIES})
    target_include_directories(doorward_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  endif()
endfunction()
