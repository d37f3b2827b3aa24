#!/bin/bash
# Software: gearmand 1.1.20+ds-1 with --queue-type=redis, redis-server 5:7.0.15
# (Debian 12).
#
# Payloads are bytes, and Redis keeps bytes. One would expect that a stored job has
# its payload after a restart. It is in Redis whole, but gearmand reads it back as
# a C string: what stands behind the first NUL is gone, and the job runs with the
# rest. Serialised PHP objects, images and protocol buffers have NULs.
#
# Seen:
#   stored: 4 bytes
#   payload of the worker after a restart: 61 of 61006263
. "$(dirname "$0")/common.bash"
debian gearman-tools=1.1.20+ds-1 gearman-job-server=1.1.20+ds-1 libgearman8=1.1.20+ds-1 redis-server redis-tools
redis=$(free_port)
start redis-server --bind 127.0.0.1 --port "$redis" --save '' --appendonly no --dir "$work" --loglevel warning
answers "$redis"
flags=(--queue-type=redis --redis-server=127.0.0.1 --redis-port="$redis")
job_server "${flags[@]}"
printf 'a\0bc' | gearman -h 127.0.0.1 -p "$port" -b -f f -u u1
stop "$job_server"
key=$(redis-cli -p "$redis" keys '*')
observed "stored" "4 bytes" "$(redis-cli -p "$redis" hstrlen "$key" data) bytes"
job_server "${flags[@]}"
gearman -h 127.0.0.1 -p "$port" -w -c 1 -f f -- tee "$work/ran"
observed "payload of the worker after a restart" "61 of 61006263" "$(od -An -tx1 ran | tr -d ' \n') of 61006263"
