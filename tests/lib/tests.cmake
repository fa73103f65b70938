# SPDX-License-Identifier: GPL-2.0-or-later
# How tests are declared. A test ends with 0 (passed), 77 (lacks something, said on its output) or
# anything else (failed).

# vhu_test(NAME <label>.<name> COMMAND <command> [<argument>...]
#          [TIMEOUT <seconds>] [PROCESSORS <n>] [COST <n>] [LOCK <resource>] [LABELS <label>...])
#
# Add a test labelled with the first word of its name. <command> is a target or a script X.sh of this
# folder. TIMEOUT is 300 unless given; tests of a high COST start first; PROCESSORS says how many the
# test keeps busy; two tests with the same LOCK never run at once.
function(vhu_test)
	cmake_parse_arguments(PARSE_ARGV 0 ARG "" "NAME;TIMEOUT;PROCESSORS;COST;LOCK" "COMMAND;LABELS")
	list(POP_FRONT ARG_COMMAND program)
	if(program MATCHES "\\.sh$")
		set(program sh ${CMAKE_CURRENT_SOURCE_DIR}/${program})
	endif()
	add_test(NAME ${ARG_NAME} COMMAND ${program} ${ARG_COMMAND})
	string(REGEX MATCH "^[a-z0-9]+" label ${ARG_NAME})
	if(NOT ARG_TIMEOUT)
		set(ARG_TIMEOUT 300)
	endif()
	set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${label};${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
		SKIP_RETURN_CODE 77 ENVIRONMENT "VHU=$<TARGET_FILE:vhu>;BUILD=${CMAKE_BINARY_DIR}")
	foreach(property PROCESSORS COST)
		if(ARG_${property})
			set_tests_properties(${ARG_NAME} PROPERTIES ${property} ${ARG_${property}})
		endif()
	endforeach()
	if(ARG_LOCK)
		set_tests_properties(${ARG_NAME} PROPERTIES RESOURCE_LOCK ${ARG_LOCK})
	endif()
endfunction()

# vhu_e2e_test(NAME <room>.<name> ...): the same for the test e2e.<room>.<name>.
function(vhu_e2e_test keyword name)
	vhu_test(NAME e2e.${name} ${ARGN})
endfunction()

# vhu_test_program(<name> <source>... LIBRARIES <library>...)
#
# Build a program for tests, which scripts find at BUILD/tests/bin/<name>.
function(vhu_test_program name)
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBRARIES")
	add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
	target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
endfunction()

# vhu_unit_test(<name> <source>... LIBRARIES <library>... [ARGUMENTS <argument>...])
#
# Build the cmocka program unit.<name> and add it as a test.
function(vhu_unit_test name)
	if(NOT TARGET PkgConfig::CMOCKA)
		return()
	endif()
	cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBRARIES;ARGUMENTS")
	vhu_test_program(unit.${name} ${ARG_UNPARSED_ARGUMENTS} LIBRARIES ${ARG_LIBRARIES} PkgConfig::CMOCKA)
	vhu_test(NAME unit.${name} COMMAND unit.${name} ${ARG_ARGUMENTS})
endfunction()
