#!/bin/bash
# Software: npm gearman 2.1.0, gearmand 1.1.20+ds-1 (Debian 12).
#
# A worker's addFunction(name, timeout) tells the server after how long a job is to
# be taken away. The protocol's numbers are digits, as in WORK_STATUS, and one
# would expect digits here too. This library sends four bytes, most significant
# first. gearmand reads digits, finds none, and takes that for no limit at all: a
# job with a limit of one second may run for as long as it likes. The same limit of
# a client that sends digits counts.
#
# Seen:
#   limit sent as digits, four seconds later: second worker has the job
#   limit sent by npm gearman, four seconds later: second worker has nothing
. "$(dirname "$0")/common.bash"
npm_packages gearman@2.1.0
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1
job_server
cat >worker.js <<'J'
const net = require('net');
const [port, name] = [+process.argv[2], process.argv[3]];
const packet = (type, body) => {
  const head = Buffer.from('\0REQ\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(type, 4);
  head.writeUInt32BE(body.length, 8);
  return Buffer.concat([head, Buffer.from(body)]);
};
if (name === 'digits') {
  // CAN_DO_TIMEOUT with digits, and GRAB_JOB. It takes the job and keeps it.
  net.connect(port, '127.0.0.1').on('data', () => {}).write(Buffer.concat([packet(23, 'digits\x001000'), packet(9, '')]));
} else {
  const worker = require('gearman')('127.0.0.1', port);
  worker.connect(() => {
    worker.addFunction(name, 1000);
    worker.grabJob();
  });
}
setTimeout(() => process.exit(), 30000);
J
for name in digits bytes; do
	gearman -h 127.0.0.1 -p "$port" -b -f "$name" job
	start node worker.js "$port" "$name"
	running() { admin $'status\n' | grep -q "^$name	1	1	1"; }
	until_so running
	start gearman -h 127.0.0.1 -p "$port" -w -f "$name" -- tee "$work/$name"
done
sleep 4
observed "limit sent as digits, four seconds later" "second worker has the job" "second worker has $([ -s digits ] && echo the job || echo nothing)"
observed "limit sent by npm gearman, four seconds later" "second worker has nothing" "second worker has $([ -s bytes ] && echo the job || echo nothing)"
