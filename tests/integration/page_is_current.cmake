# SPDX-License-Identifier: Apache-2.0
# @param PART  of raphe  @param PAGE  of the documentation that it makes
execute_process(COMMAND ${RAPHE} ${PART} --markdown OUTPUT_VARIABLE now RESULT_VARIABLE code)
file(READ ${PAGE} stored)
if(NOT code EQUAL 0 OR NOT now STREQUAL stored)
  message(FATAL_ERROR "${PAGE} is not what the declarations say; run: raphe ${PART} --markdown > ${PAGE}")
endif()
