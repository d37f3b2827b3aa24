# The whole project in four words: make run, make test, make lint, make clean.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Debian keeps gearmand where not every user's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: geargate run test lint unit e2e tools clean

# The front door with its built-in pool, on 127.0.0.1:4730.
run: geargate
	@echo 'In a second terminal, with Debian'"'"'s gearman-tools, see a job go through:'
	@echo '    gearman -w -f reverse -- rev &'
	@echo '    echo Hello | gearman -f reverse'
	./geargate serve

geargate:
	go build -o geargate ./cmd/geargate

# Everything that must hold, the race detector on, nothing skipped.
test: tools lint unit e2e

lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

unit:
	go test -race -timeout 5m $$(go list ./... | grep -v /e2e)

# Geargate and gearmand side by side, with the clients people use. Verbose, so
# that the trace of a job can be read in the output.
e2e: tools
	go test -race -count=1 -timeout 12m -v ./cmd/geargate/e2e

# The job server and the clients the tests run against.
tools:
	@.ci/tools

clean:
	rm -f geargate
