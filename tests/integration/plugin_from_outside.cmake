# SPDX-License-Identifier: Apache-2.0
# Installs the SDK, starts a plugin of each kind with `raphe plugin new`, builds it outside the tree, and uses it.
function(step)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nexit ${code}\n${out}")
  endif()
  set(said "${out}" PARENT_SCOPE)
endfunction()
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
step(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
set(folders "")
foreach(kind IN ITEMS model task rule)
  set(name my_${kind})
  if(kind STREQUAL "model")
    step(${RAPHE} plugin new ${name})
  else()
    step(${RAPHE} plugin new ${name} --kind ${kind})
  endif()
  if(NOT said MATCHES "raphe describe ${kind}\\.${name}\n")
    message(FATAL_ERROR "no word of how to use ${kind}.${name}: ${said}")
  endif()
  step(${CMAKE_COMMAND} -S ${WORK}/${name} -B ${WORK}/${name}/build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH=${WORK}/prefix)
  step(${CMAKE_COMMAND} --build ${WORK}/${name}/build)
  list(APPEND folders ${WORK}/${name}/build)
endforeach()
list(JOIN folders ":" path)
set(ENV{RAPHE_PLUGIN_PATH} "${path}")
foreach(kind IN ITEMS model task rule)
  step(${RAPHE} plugin check my_${kind})
  step(${RAPHE} describe ${kind}.my_${kind})
  if(NOT said MATCHES "${kind}.my_${kind}")
    message(FATAL_ERROR "the new plugin is not described: ${said}")
  endif()
endforeach()

# An experiment of nothing but the three: the model learns to predict a coin's reward from the tosses before.
file(WRITE ${WORK}/all_mine.json [[{
  "raphe": 1,
  "nodes": {
    "task": {"mechanism": "task.my_task"},
    "memory": {"mechanism": "model.my_model", "params": {"units": 2}},
    "policy": {"mechanism": "model.dense", "params": {"units": 2}},
    "head": {"mechanism": "model.categorical", "params": {"choices": 2}},
    "guess": {"mechanism": "model.dense", "params": {"units": 1}},
    "learner": {"mechanism": "rule.my_rule"}
  },
  "wires": [
    "task.observation -> policy.input",
    {"from": "memory.x", "to": "policy.input", "delay": 1},
    "policy.output -> head.logits",
    "head.action -> task.action",
    "policy.output -> memory.u",
    "memory.x -> guess.input",
    "guess.output -> learner.prediction",
    "task.reward -> learner.target"
  ],
  "trials": 4
}]])
step(${RAPHE} run all_mine.json --iterations 5 --quiet --out run)
step(${RAPHE} gradcheck all_mine.json --entries 3)

# The installed program finds its plugins and experiments beside it.
set(ENV{RAPHE_PLUGIN_PATH} "")
step(${WORK}/prefix/bin/raphe check cue_small_A_simple)
