#!/bin/bash
# Software: gearmand 1.1.20+ds-1 (Debian 12).
#
# Lines of the admin protocol may end in LF or in CRLF. One would expect both to
# mean the same, as they do for all the other commands. `create function NAME`
# takes the last character of NAME for the CR: with a bare LF, as echo and
# netcat send it, a function is made that lacks its last letter, and the answer
# is OK. `drop function NAME` with the same LF looks for the whole name.
#
# Seen:
#   create function resize, CRLF: OK, functions: resize
#   create function thumbnail, LF: OK, functions: resize thumbnai
#   drop function thumbnail, LF: ERR function not found
. "$(dirname "$0")/common.bash"
debian gearman-job-server=1.1.20+ds-1
job_server
functions() { echo $(admin $'status\n' | cut -sf1 | sort); }
says() { admin "$1" | tr -d '\r'; }

observed "create function resize, CRLF" "OK, functions: resize" \
	"$(says $'create function resize\r\n'), functions: $(functions)"
observed "create function thumbnail, LF" "OK, functions: resize thumbnai" \
	"$(says $'create function thumbnail\n'), functions: $(functions)"
observed "drop function thumbnail, LF" "ERR function not found" "$(says $'drop function thumbnail\n')"
