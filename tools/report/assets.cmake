# SPDX-License-Identifier: GPL-2.0-or-later
# The style and the programs of a report's page as a C file, with the hashes that the page's policy
# names.

# Set ${variable} to the SHA-256 of a file in base64.
function(vhu_sha256_base64 variable file)
	set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
	file(SHA256 ${file} hex)
	string(APPEND hex 00) # 32 bytes and one more are eleven times three
	set(text "")
	foreach(at RANGE 0 60 6)
		string(SUBSTRING ${hex} ${at} 6 three)
		foreach(shift 18 12 6 0)
			math(EXPR place "0x${three} >> ${shift} & 63")
			string(SUBSTRING ${digits} ${place} 1 digit)
			string(APPEND text ${digit})
		endforeach()
	endforeach()
	string(REGEX REPLACE "A$" "=" text ${text})
	set(${variable} ${text} PARENT_SCOPE)
endfunction()

# Write the C file ${to} with the style ${style} and the programs that follow, in their order.
function(vhu_report_assets to style)
	set(text "/* Made by assets.cmake. */\n#include \"tools/report/assets.h\"\n")
	set(scripts "")
	foreach(file ${style} ${ARGN})
		set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
		get_filename_component(name ${file} NAME)
		string(MAKE_C_IDENTIFIER ${name} name)
		file(READ ${file} hex HEX)
		string(REGEX REPLACE "(..)" "0x\\1," hex "${hex}")
		vhu_sha256_base64(hash ${file})
		string(APPEND text "static const unsigned char ${name}[] = {${hex}0};\n")
		if(file STREQUAL style)
			string(APPEND text
				"const struct vhu_report_asset vhu_report_style = {${name}, \"${hash}\"};\n")
		else()
			string(APPEND scripts "{${name}, \"${hash}\"},")
		endif()
	endforeach()
	list(LENGTH ARGN count)
	string(APPEND text "const struct vhu_report_asset vhu_report_script[] = {${scripts}};\n"
		"const unsigned vhu_report_scripts = ${count};\n")
	file(CONFIGURE OUTPUT ${to} CONTENT "${text}" @ONLY)
endfunction()
