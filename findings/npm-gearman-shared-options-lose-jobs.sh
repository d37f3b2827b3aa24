#!/bin/bash
# Software: npm gearman 2.1.0, gearmand 1.1.20+ds-1 (Debian 12).
#
# submitJob(name, payload, options) makes up a unique where options has none. One
# would expect a new one for each job. It is written into the caller's object: whoever
# passes one options object for several jobs gives them all the same unique, and
# the server joins them to the first. Each is acknowledged, one runs.
#
# Seen:
#   3 payloads, an object for each: 3 acknowledged, 3 queued
#   3 payloads, one object for all: 3 acknowledged, 1 queued
. "$(dirname "$0")/common.bash"
npm_packages gearman@2.1.0
debian gearman-job-server=1.1.20+ds-1
job_server
cat >client.js <<'J'
const [port, shared] = [+process.argv[2], process.argv[3] === 'shared'];
const client = require('gearman')('127.0.0.1', port);
let acknowledged = 0;
client.on('JOB_CREATED', () => {
  if (++acknowledged === 3) {
    console.log(acknowledged);
    process.exit();
  }
});
client.connect(() => {
  const options = { background: true };
  for (const payload of ['a', 'b', 'c']) client.submitJob(shared ? 'shared' : 'own', payload, shared ? options : { background: true });
});
J
for how in own shared; do
	acknowledged=$(node client.js "$port" "$how")
	queued=$(admin $'status\n' | awk -v f="$how" '$1 == f {print $2}')
	if [ "$how" = own ]; then
		observed "3 payloads, an object for each" "3 acknowledged, 3 queued" "$acknowledged acknowledged, $queued queued"
	else
		observed "3 payloads, one object for all" "3 acknowledged, 1 queued" "$acknowledged acknowledged, $queued queued"
	fi
done
