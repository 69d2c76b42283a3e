# Plays the written world NAME and compares its trace with GOLDEN. To accept a new one:
#   sim --script NAME --trace > tests/sim/golden/NAME.txt
execute_process(COMMAND ${SIM} --script ${NAME} --trace OUTPUT_FILE ${OUTPUT}
    RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "sim --script ${NAME} ended with ${status}")
endif()
execute_process(COMMAND diff -u ${GOLDEN} ${OUTPUT} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the trace of ${NAME} is another one; if it is right:\n"
        "  ${SIM} --script ${NAME} --trace > ${GOLDEN}")
endif()
