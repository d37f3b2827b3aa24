#!/bin/bash
# Software: npm gearmanode 0.9.2, gearmand 1.1.20+ds-1 (Debian 12).
#
# When a job is refused because its queue is full, one would expect an error event
# of that job, and that other jobs of the client are not touched. The library takes
# the next JOB_CREATED for the refused job: it is told the handle and the result of
# the job behind it, which may be of another function, and looks completed. From
# then on each job of the connection has the handle of the next.
#
# Seen:
#   job "refused" of the full function: result of other
. "$(dirname "$0")/common.bash"
npm_packages gearmanode@0.9.2
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
admin $'create function full\r\nmaxqueue full 1\r\n' >/dev/null
gearman -h 127.0.0.1 -p "$port" -b -f full "takes the place"
start gearman -h 127.0.0.1 -p "$port" -w -f other -- printf 'result of other'
cat >client.js <<'J'
const node = require('gearmanode');
require('winston').loggers.loggers.forEach((logger) => { logger.silent = true; });
const client = node.client({ host: '127.0.0.1', port: +process.argv[2] });
const end = (text) => { console.log(text); process.exit(); };
client.on('error', () => {});
const refused = client.submitJob('full', 'refused', { toStringEncoding: 'utf8' });
refused.on('complete', () => end(refused.response));
refused.on('failed', () => end('failed'));
refused.on('error', () => end('error'));
setTimeout(() => client.submitJob('other', 'x').on('error', () => {}), 500);
setTimeout(() => end('nothing'), 10000);
J
observed 'job "refused" of the full function' "result of other" "$(node --no-deprecation client.js "$port" 2>/dev/null | tail -1)"
