# SPDX-License-Identifier: GPL-2.0-or-later
# The sample back-end and the sample front-end as parties of a session.
#
# To be sourced after common.sh, with a folder open.

back_end=$build/bin/vhu-sample-backend front_end=$build/bin/vhu-sample-frontend

# Start the sample back-end with the options $*.
back() {
	stage_start back "$back_end" --socket-path=back.sock "$@"
	stage_listens back back.sock
}

# Start the sample front-end with the options $*.
front() {
	stage_start front "$front_end" --timeout 100s "$@" front.sock
}
