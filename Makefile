# The whole project in a few words: make run, make test, make lint, make soak,
# make bench, make bench-growth, make faults, make hostile, make durable, make
# pictures, make release, make clean.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Debian keeps gearmand where not every user's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

# How long "make soak" goes on, and with which seed it begins.
SOAK ?= 1h
SEED ?= 1000000

# How long "make fuzz" spends on each target.
FUZZTIME ?= 1m

# How often "make bench" measures each setup, and where figures are kept.
ROUNDS ?= 3
RESULTS ?= .results

# How many jobs "make durable" has queued and run in less than 2 GiB.
DURABLE_MANY ?= 10000000

.PHONY: geargate run test lint unit simulate soak fuzz e2e release release-check vulncheck tools bench bench-growth faults hostile durable pictures microbench clean

# The front door with its built-in pool, on 127.0.0.1:4730.
run: geargate
	@echo 'In a second terminal, with Debian'"'"'s gearman-tools, see a job go through:'
	@echo '    gearman -w -f reverse -- rev &'
	@echo '    echo Hello | gearman -f reverse'
	./geargate serve

geargate:
	go build -o geargate ./cmd/geargate

# Everything that must hold, the race detector on, nothing skipped.
test: tools lint unit simulate e2e release-check

lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

unit:
	go test -race -timeout 15m $$(go list ./... | grep -v /e2e)

# The router and everybody around it, simulated: 20,000 runs or two minutes of
# them. Without the race detector, which finds nothing where there is one
# goroutine; "make unit" makes some of the runs with it all the same.
simulate:
	go test ./router -run 'TestModel$$' -count=1 -timeout 10m -v -seeds 20000 -for 2m

# The same for hours. One that fails is printed with the command to repeat it.
soak:
	go test ./router -run 'TestModel$$' -count=1 -timeout 0 -v -seeds 0 -for $(SOAK) -first $(SEED)

# Every fuzz target, one after the other. A finding ends it, and is kept below
# testdata/fuzz of its package, where every test run tries it again.
fuzz:
	@for package in $$(go list ./protocol ./router ./backend/... ./proxy/...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test $$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# Geargate and gearmand side by side, with the clients people use. Verbose, so
# that the trace of a job can be read in the output.
e2e: tools
	go test -race -count=1 -timeout 25m -v ./cmd/geargate/e2e

# What is published, in dist/: static programs, Debian packages, sums.
release:
	packaging/release dist

# The release of the last commit, twice, byte for byte.
release-check:
	packaging/check

# Known holes in what we import. Needs the public database of them.
vulncheck:
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

# The job server and the clients the tests run against.
tools:
	@.ci/tools

# Every target, measured, and docs/benchmarks.md written anew: 25 minutes on
# two processors, which should have nothing else to do. ROUNDS=1 takes 11.
bench: geargate tools microbench
	./geargate bench compare --rounds $(ROUNDS) --json $(RESULTS)/targets.json \
		50x20 200x100 500x500 50x20-pipelined one-to-one batches \
		idle-workers idle-connections payload-4mib group-links
	./geargate bench compare --json $(RESULTS)/million.json million-queued
	./geargate bench report --micro $(RESULTS)/micro.txt --markdown docs/benchmarks.md \
		$(RESULTS)/targets.json $(RESULTS)/million.json

# How costs grow, and docs/growth.md written anew.
bench-growth: geargate tools
	@mkdir -p $(RESULTS)
	./geargate bench compare --json $(RESULTS)/growth.json \
		grow-connections grow-functions grow-backends grow-queue grow-payload
	./geargate bench report --markdown docs/growth.md $(RESULTS)/growth.json

# Everything killed, frozen and cut off under load, each promise with what was
# counted, and docs/faults.md written anew. Eight minutes; one of the faults
# needs root, for network namespaces.
faults: geargate tools
	@mkdir -p $(RESULTS)
	./geargate bench faults --json $(RESULTS)/faults.json --markdown docs/faults.md

# One peer after the other does what it should not, and what others notice, and
# docs/hostile.md written anew. Eight minutes on two processors, which should have
# nothing else to do. As root the probes have a higher priority than the rest.
hostile: geargate tools
	@mkdir -p $(RESULTS)
	./geargate bench hostile --json $(RESULTS)/hostile.json --markdown docs/hostile.md

# What must hold of durable background jobs, printed: five to fifteen minutes,
# and four gigabytes in TMPDIR. DURABLE_MANY=1000000 is content with less.
durable: geargate tools
	DURABLE_KILLS=100 DURABLE_JOBS=1000000 go test -count=1 -timeout 20m -run TestDurable -skip TestDurableMany -v ./cmd/geargate
	DURABLE_FULL=10 go test -count=1 -run 'TestTailCutOff|TestEveryByteDamaged|TestAFullDiskGoesOn' -v ./backend/store
	./geargate bench compare --rounds 1 durable
	DURABLE_MANY=$(DURABLE_MANY) go test -count=1 -timeout 40m -run TestDurableMany -v ./cmd/geargate

# The dashboard in a browser, dark and light and on a telephone, as the README
# and docs/operations.md show it. Two minutes.
pictures:
	go test ./proxy -count=1 -run TestDashboardPictures -pictures $(CURDIR)/docs/images -pictures-for 100s

# Go's own benchmarks, in the form that benchstat compares.
microbench:
	@mkdir -p $(RESULTS)
	go test -run '^$$' -bench . -benchmem -benchtime 50ms -count 3 \
		./protocol ./router ./backend/jobserver | tee $(RESULTS)/micro.txt

clean:
	rm -rf geargate dist $(RESULTS)
