# SPDX-License-Identifier: GPL-2.0-or-later
# JSON held against its schemas, those of docs/json.
#
# To be sourced after common.sh, which sets $top and $build. Debian's Python is asked: another one may
# lack Debian's modules.
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || {
	echo "lacks jsonschema of Python: install the package python3-jsonschema"
	exit 77
}

# Hold each line of the file $1 against the schema that it names; other lines are what is wrong.
schemas_fit()
{
	/usr/bin/python3 -W ignore "$top/tests/json/schemas.py" check "$top/docs/json" "$build/schema" <"$1"
}

# Look whether the schemas agree with one another.
schemas_are_sound()
{
	/usr/bin/python3 -W ignore "$top/tests/json/schemas.py" keys "$top/docs/json" "$build/schema"
}
