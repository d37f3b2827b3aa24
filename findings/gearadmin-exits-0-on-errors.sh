#!/bin/bash
# Software: gearman-tools 1.1.20+ds-1 (Debian 12), `gearadmin`.
#
# One would expect a script to see from gearadmin's exit status whether a job was
# cancelled or a function dropped. What the server refuses is printed to standard
# error, and the status is 0.
#
# Seen:
#   cancel a job that is not there: Error: UNKNOWN_JOB, exit 0
#   drop a function that is not there: Error: function not found, exit 0
#   drop a function with a worker: Error: there are still connected workers or executing clients, exit 0
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
start gearman -h 127.0.0.1 -p "$port" -w -f busy -- cat
has_worker() { admin $'status\n' | grep -q '^busy'; }
until_so has_worker

# asked FLAG ARGUMENT: what gearadmin says, and its status.
asked() {
	local status=0
	gearadmin -h 127.0.0.1 -p "$port" "$1" "$2" >answer 2>&1 || status=$?
	echo "$(tr -d '\r' <answer | grep .), exit $status"
}
observed "cancel a job that is not there" "Error: UNKNOWN_JOB, exit 0" "$(asked --cancel-job H:none:1)"
observed "drop a function that is not there" "Error: function not found, exit 0" "$(asked --drop-function none)"
observed "drop a function with a worker" \
	"Error: there are still connected workers or executing clients, exit 0" "$(asked --drop-function busy)"
