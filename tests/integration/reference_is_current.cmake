# SPDX-License-Identifier: Apache-2.0
execute_process(COMMAND ${RAPHE} describe --markdown OUTPUT_VARIABLE now RESULT_VARIABLE code)
file(READ ${REFERENCE} stored)
if(NOT code EQUAL 0 OR NOT now STREQUAL stored)
  message(FATAL_ERROR "resources/docs/reference.md is not what the declarations say; run: raphe describe --markdown > resources/docs/reference.md")
endif()
