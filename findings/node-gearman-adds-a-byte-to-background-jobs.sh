#!/bin/bash
# Software: npm node-gearman 0.2.2, gearmand 1.1.20+ds-1 (Debian 12).
#
# submitJob(name, payload, unique, {background: true}) is the foreground call with
# an option. One would expect that the worker gets the same payload. In the
# background it gets one NUL more at the end: where the foreground call passes a
# callback, the background call passes false, and that is sent as one more
# argument. JSON.parse of such a payload fails.
#
# Seen:
#   foreground payload: 616263
#   background payload: 61626300
. "$(dirname "$0")/common.bash"
npm_packages node-gearman@0.2.2
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
node --no-deprecation -e '
	const Gearman = require("node-gearman");
	const client = new Gearman("127.0.0.1", +process.argv[1]);
	client.submitJob("foreground", "abc");
	client.submitJob("background", "abc", null, { background: true });
	setTimeout(() => process.exit(), 10000);
' "$port" &
started+=($!)
for kind in foreground background; do start gearman -h 127.0.0.1 -p "$port" -w -f "$kind" -- tee "$work/$kind"; done
both() { [ -s foreground ] && [ -s background ]; }
until_so both
observed "foreground payload" 616263 "$(od -An -tx1 foreground | tr -d ' \n')"
observed "background payload" 61626300 "$(od -An -tx1 background | tr -d ' \n')"
