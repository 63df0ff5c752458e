# Profile-guided optimisation: the training build counts executions, the release build lays out and
# inlines by what bench/training.proftext says of them. `./dev profile` writes that file. Where a
# function has changed since, its counts are passed over: nothing but speed depends on them.

# Local functions go by their file's name without its folder, wherever the checkout stands.
target_compile_options(tollgate_options INTERFACE "SHELL:-mllvm -static-func-full-module-prefix=false")

if(TOLLGATE_TRAIN)
  target_compile_options(tollgate_options INTERFACE -fprofile-generate=${CMAKE_BINARY_DIR}/counts)
  add_link_options(-fprofile-generate)
  return()
endif()

string(REPLACE llvm-ar llvm-profdata profdata_of_compiler "${CMAKE_AR}")
find_program(TOLLGATE_PROFDATA NAMES ${profdata_of_compiler} llvm-profdata-19 llvm-profdata)
if(NOT TOLLGATE_PROFDATA)
  message(WARNING "There is no llvm-profdata: built without ${TOLLGATE_PROFILE}, some 15 % slower.")
  return()
endif()

# Named by what is in it: another profile builds everything anew.
file(SHA1 ${TOLLGATE_PROFILE} of_profile)
set(merged ${CMAKE_BINARY_DIR}/training-${of_profile}.profdata)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${TOLLGATE_PROFILE})
if(NOT EXISTS ${merged})
  execute_process(COMMAND ${TOLLGATE_PROFDATA} merge -o ${merged} ${TOLLGATE_PROFILE}
    COMMAND_ERROR_IS_FATAL ANY)
endif()
target_compile_options(tollgate_options INTERFACE -fprofile-use=${merged}
  -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date -Wno-backend-plugin)
add_link_options(-Wl,-z,keep-text-section-prefix)  # what is busy lies together
