# Sourced by every finding. It bounds the time, fetches what is pinned into a
# folder of its own, starts servers on free loopback ports, and at the end stops
# what was started and removes the folder.
set -euo pipefail

if [ -z "${FINDING_IS_BOUNDED:-}" ]; then
	exec env FINDING_IS_BOUNDED=1 timeout --kill-after=5 58 bash "$0" "$@"
fi

work=$(mktemp -d)
started=()
clean_up() {
	local pid
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'echo "took too long" >&2; exit 1' TERM
cd "$work"

# start COMMAND...: runs it in the background until the script ends.
start() {
	"$@" &
	started+=($!)
}

# stop PID: ends one of them now.
stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# debian PACKAGE[=VERSION]...: unpacks Debian packages, and what they depend on
# and the machine lacks, under $work/root.
debian() {
	local names=("${@%%=*}") package missing=()
	mapfile -t missing < <(
		apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
			--no-replaces --no-enhances "${names[@]}" | grep '^[a-z0-9]' | sort -u |
			grep -vxF "$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p'; printf '%s\n' "${names[@]}")"
	)
	(
		mkdir -p root debs && cd debs
		apt-get download -qq -o APT::Sandbox::User=root "$@" "${missing[@]}"
		for package in *.deb; do dpkg -x "$package" ../root && rm "$package"; done
	)
	local lib=$work/root/usr/lib/x86_64-linux-gnu
	export PATH=$work/root/usr/sbin:$work/root/usr/bin:$PATH
	export LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export PERL5LIB=$work/root/usr/share/perl5:$lib/perl5/5.36
}

# npm_packages NAME@VERSION...: installs them under $work/node_modules.
npm_packages() {
	echo '{"private": true}' >package.json
	npm install --silent --no-audit --no-fund --ignore-scripts "$@"
}

# go_modules MODULE@VERSION...: makes $work a module that uses them.
go_modules() {
	export GOFLAGS=-mod=mod GOTOOLCHAIN=local
	go mod init finding 2>/dev/null
	go get "$@" 2>/dev/null
}

free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# answers PORT: waits until something listens there.
answers() {
	local i
	for i in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.1
	done
	echo "nothing listens at port $1" >&2
	return 1
}

# job_server [FLAGS]: starts gearmand; its port is in $port and its pid in $job_server.
job_server() {
	port=${port:-$(free_port)}
	start gearmand --listen=127.0.0.1 --port="$port" --log-file=stderr "$@"
	job_server=$!
	answers "$port"
}

# admin LINE: sends a line as it is, and prints what comes within half a second.
admin() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "no connection";
		print $s $ARGV[1]; $s->flush;
		my $set = ""; vec($set, fileno($s), 1) = 1;
		while (select(my $ready = $set, undef, undef, 0.5)) { sysread($s, my $data, 4096) or last; print $data }
	' "$port" "$1"
}

# until_so COMMAND...: runs it until it succeeds, for ten seconds at most.
until_so() {
	local i
	for i in $(seq 100); do
		if "$@"; then return; fi
		sleep 0.1
	done
	echo "not in ten seconds: $*" >&2
	return 1
}

# observed WHAT EXPECTED ACTUAL: prints what was seen, and ends with 1 if it is
# not what this finding is about.
observed() {
	echo "$1: $3"
	if [ "$2" != "$3" ]; then
		echo "this has changed: expected $2" >&2
		exit 1
	fi
}
