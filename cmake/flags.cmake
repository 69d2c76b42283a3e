# Compiler and linker flags that every target of the project gets through purser_flags.
option(PURSER_WERROR "Treat warnings as errors" OFF)
option(PURSER_HARDEN "Hardening flags for a build that goes to users" OFF)
option(PURSER_COVERAGE "Count what the tests reach of the layers (clang 19 or newer)" OFF)
set(PURSER_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined")

# Aborts when a byte would leave before its intent is durable: src/io/ordering_oracle.h.
set(oracle OFF)
if(PURSER_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(oracle ON)
endif()
option(PURSER_ORDERING_ORACLE "Watch the order of the ledger and the wire" ${oracle})

# Asserts stay on in release: a wrong program must not go on writing state.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

set(PURSER_WARNINGS
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wundef -Wswitch-enum
    # clang counts it to -Wconversion and so forbids assert(!"text").
    $<$<C_COMPILER_ID:Clang>:-Wno-string-conversion>
    $<$<BOOL:${PURSER_WERROR}>:-Werror>)

add_library(purser_flags INTERFACE)
target_compile_definitions(purser_flags INTERFACE
    _GNU_SOURCE PURSER_VERSION="${PROJECT_VERSION}")
target_include_directories(purser_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(purser_flags INTERFACE ${PURSER_WARNINGS})
if(PURSER_SANITIZE)
    target_compile_options(purser_flags INTERFACE
        -fsanitize=${PURSER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(purser_flags INTERFACE -fsanitize=${PURSER_SANITIZE})
endif()
if(PURSER_HARDEN)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    target_compile_options(purser_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
        -fcf-protection=full -ftrivial-auto-var-init=zero -fno-strict-overflow)
    target_link_options(purser_flags INTERFACE
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie> -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# Of the layers alone, so that neither tests nor the simulator are counted. The file is named here
# because tests choose the environment of what they run; %m: runs of one binary add to one of eight.
add_library(purser_coverage INTERFACE)
if(PURSER_COVERAGE)
    set(PURSER_PROFILES ${CMAKE_BINARY_DIR}/profiles)
    target_compile_options(purser_coverage INTERFACE
        -fprofile-instr-generate=${PURSER_PROFILES}/%8m.profraw -fcoverage-mapping -fcoverage-mcdc)
    target_link_options(purser_coverage INTERFACE -fprofile-instr-generate)
    # An archive, behind all that calls _exit() and before libc.
    add_library(coverage_exit STATIC ${CMAKE_SOURCE_DIR}/tests/prove/coverage/exit.c)
    target_link_libraries(coverage_exit PRIVATE purser_flags)
    target_link_libraries(purser_coverage INTERFACE coverage_exit)
endif()
