#!/bin/bash
# Software: npm node-gearman 0.2.2, gearmand 1.1.20+ds-1 (Debian 12), Linux.
#
# A job that does nothing takes a fraction of a millisecond on loopback with most
# clients. One would expect the same here, or blame Node.js or the server. This
# worker takes 40 ms for each job: it sends a result and GRAB_JOB in two writes of
# their own and leaves Nagle's algorithm on, so that the second write waits for the
# acknowledgement of the first, which Linux delays by 40 ms as it has nothing to
# send it with. setNoDelay(true) on the library's sockets ends it.
#
# Seen (medians of 15 jobs, one after the other):
#   as it is: 40 ms or more
#   with setNoDelay: below 20 ms
. "$(dirname "$0")/common.bash"
npm_packages node-gearman@0.2.2
debian gearman-job-server=1.1.20+ds-1
job_server
cat >jobs.js <<'J'
const Gearman = require('node-gearman');
const [port, name, noDelay] = [+process.argv[2], process.argv[3], process.argv[3] === 'nodelay'];
const connected = () => {
  const g = new Gearman('127.0.0.1', port);
  g.on('connect', () => g.socket.setNoDelay(noDelay));
  return g;
};
connected().registerWorker(name, (payload, worker) => worker.end('result'));
const client = connected();
const took = [];
const next = () => {
  if (took.length === 15) {
    console.log(Math.round(took.sort((a, b) => a - b)[7]));
    process.exit();
  }
  const from = performance.now();
  client.submitJob(name, 'x').on('data', () => {}).on('end', () => {
    took.push(performance.now() - from);
    next();
  });
};
next();
J
plain=$(node --no-deprecation jobs.js "$port" plain)
nodelay=$(node --no-deprecation jobs.js "$port" nodelay)
echo "as it is: $plain ms; with setNoDelay: $nodelay ms"
observed "as it is, 39 ms or more" yes "$([ "$plain" -ge 39 ] && echo yes || echo no)"
observed "with setNoDelay, below 20 ms" yes "$([ "$nodelay" -lt 20 ] && echo yes || echo no)"
