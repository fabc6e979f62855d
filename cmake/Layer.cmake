# Flags for our own code only: warnings are errors, sanitizers where asked.
add_library(doorward_flags INTERFACE)
target_compile_options(doorward_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wold-style-cast -Woverloaded-virtual -Wextra-semi -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside coroutine frames and inlined library code that is sound.
  target_compile_options(doorward_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-restrict)
endif()
if(DOORWARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(DOORWARD_SANITIZE)
  add_compile_options(-fsanitize=${DOORWARD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DOORWARD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND DOORWARD_SANITIZE MATCHES "thread")
    # It cannot follow a fence; Asio's stand beside operations it does follow.
    add_compile_options(-Wno-tsan)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang 14 cannot compile a coroutine with it.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()

# For what no request passes through: the compiler need not try hard. (Coroutines rely on sibling calls.)
set(doorward_cold "$<$<CONFIG:Release>:-O1;-foptimize-sibling-calls>")

# Beast and Asio are compiled once, here, and nowhere else.
add_library(doorward_asio STATIC ${PROJECT_SOURCE_DIR}/src/asio.cpp)
target_link_libraries(doorward_asio PUBLIC doorward_boost OpenSSL::SSL Threads::Threads)

# doorward_layer(NAME [COLD] [USES layer...] [LIBRARIES lib...] [PRIVATE_LIBRARIES lib...])
#
# Makes the static library doorward_NAME from src/NAME/*.cpp. What it should include: include/doorward (light headers)
# of the layers it uses, and its own src/NAME; the include directories hold more, and do not enforce that.
# PRIVATE_LIBRARIES are the heavy ones that no header shows. COLD: see above.
function(doorward_layer name)
  cmake_parse_arguments(arg "COLD" "" "USES;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
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
    if(arg_COLD)
      target_compile_options(doorward_${name} PRIVATE "${doorward_cold}")
    endif()
  else()
    add_library(doorward_${name} INTERFACE)
    target_link_libraries(doorward_${name} INTERFACE ${arg_USES} ${arg_LIBRARIES})
    target_include_directories(doorward_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
  endif()
endfunction()
