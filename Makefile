# make demo       installs what is missing, builds, runs a real migration experiment and says where its report is
# make test       installs what is missing and runs everything: lint, unit tests, real end-to-end runs
# make accuracy   scripts outages from 1 ms to 5 s and prints injected against measured
# make soak       twenty migrations in a row, with a look at what they leave behind
# make soak-influx  pushes ten million records into a real InfluxDB, and is killed in the middle of it
# make lint | build | bench | fuzz | clean
SHELL := /bin/bash
export CGO_ENABLED := 0
CACHE := $(CURDIR)/.cache
TOOLS := $(CACHE)/tools
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
# A clone that belongs to another user is no repository to git: build it all the same. -trimpath is for programs and tests alike, or
# what they share is compiled twice.
export GOFLAGS := $(filter-out -trimpath -buildvcs=false,$(GOFLAGS)) -trimpath $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)
LDFLAGS := -s -w -X main.version=$(VERSION)

GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)

.PHONY: all demo test build deps deps-test lint vet unit race e2e accuracy soak soak-influx bench fuzz schema clean
all: build

demo: deps build
	bin/virtscope run quickstart

# Real guests wait for one core, and for clocks, most of the time. Those of tests that measure nothing run beside what only
# computes, which is given what they leave of the machine: lint, the tests of pure packages, and building the server that tests of
# InfluxDB need, which takes longest. Nothing runs beside tests that measure, not even idly: a guest's clock and its caches would tell.
test: deps-test build
	$(MAKE) -j3 --output-sync=target beside aside influxd
	VIRTSCOPE_INFLUXD=$(TOOLS)/influxd-1.8.3 $(MAKE) -j1 race-alone unit-alone e2e-alone

.PHONY: beside aside influxd influx unit-plain race-pure race-alone unit-guests unit-alone e2e-beside e2e-alone

beside:
	$(MAKE) -j1 --output-sync=none unit-guests e2e-beside

aside:
	scripts/idle $(MAKE) -j1 lint unit-plain race-pure

deps:
	@scripts/install-deps demo $(CACHE)

deps-test:
	@scripts/install-deps test $(CACHE)

build:
	@mkdir -p bin
	go build -ldflags '$(LDFLAGS)' -o bin/virtscope ./cmd/virtscope
	go build -ldflags '-s -w' -o bin/virtscope-guest ./cmd/guest

# It vets, too: govet is what go vet runs, and sees the end-to-end tests.
lint: $(GOLANGCI)
	$(GOLANGCI) run ./...
	$(GOLANGCI) fmt --diff ./...

$(GOLANGCI):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

vet:
	go vet ./...

# Packages that compute and start no goroutine, beside each other: the race detector would be slow, and see nothing.
unit-plain:
	@set -e; p=$$(scripts/test-packages plain); set -x; go test -timeout 20m $$p

# What runs without a hypervisor, with the race detector. Packages that only compute run beside each other; the others one at a
# time, as many of them measure.
race: race-pure race-alone
race-pure:
	@set -e; p=$$(scripts/test-packages race); set -x; CGO_ENABLED=1 go test -race -short -timeout 20m $$p
race-alone:
	@set -e; p=$$(scripts/test-packages alone); set -x; CGO_ENABLED=1 go test -race -short -p 1 $$p

# What the race detector's run left out: packages with tests that need real guests, or seconds, in full.
unit: unit-plain unit-guests unit-alone
unit-guests:
	@set -e; p=$$(scripts/test-packages guests); set -x; go test -count=1 -p 2 -timeout 20m $$p
unit-alone:
	@set -e; p=$$(scripts/test-packages long); [ -n "$$p" ] || exit 0; set -x; go test -count=1 -p 1 -timeout 20m $$p

# Real runs of the built program. Those that are named hold what became of guests and of runs, not how long it took: make test
# runs them while the machine computes. Any other is taken to measure.
BESIDE := ^Test(Boot|Provision|Firmware|OwnImage|Fleet|Recover|OldQEMU|Checkpoint|CheckpointElsewhere|DamagedCheckpoint|Interrupt|Kill|Refused)$$
E2E := go test -count=1 -tags e2e -timeout 20m -v
e2e: build e2e-beside e2e-alone
e2e-beside:
	$(E2E) -run '$(BESIDE)' ./cmd/virtscope
# Those of the files that are built for it: all others have run.
e2e-alone:
	@set -e; tests=$$(grep -ho '^func Test[A-Za-z0-9_]*' cmd/virtscope/e2e_*_test.go cmd/virtscope/e2e_test.go | sed 's/func //' | sort -u | paste -sd '|'); set -x; \
	$(E2E) -run "^($$tests)$$" -skip '$(BESIDE)' ./cmd/virtscope

# A real server that reads what is exported for it. Tests that need none of it pass by without it.
influxd:
	@scripts/idle scripts/influxd $(CACHE)
influx: build
	@set -e; path=$$(scripts/influxd $(CACHE)); set -x; export VIRTSCOPE_INFLUXD=$$path; \
	go test -count=1 ./results/influx/...; go test -count=1 -run 'Influx|Pull' ./cmd/virtscope

accuracy: deps build
	bin/virtscope run --strict accuracy
	bin/virtscope accuracy latest

soak: deps-test build
	bin/virtscope run --strict soak
	VIRTSCOPE_SLOW=1 go test -count=1 -tags e2e -timeout 20m -v -run 'TestOwnImage|TestFirmware' ./cmd/virtscope
	bin/virtscope clean --check

soak-influx: build
	bench/influx/run -soak $(CURDIR)/bin/virtscope -records 10000000

bench:
	go test -run '^$$' -bench . -benchmem ./...

FUZZTIME ?= 30s
fuzz:
	@set -e; for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p; done; done

# What is generated from the comments of the language's types.
schema:
	go test ./experiments/... -update

clean:
	rm -rf bin $(CACHE)
