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
# A clone that belongs to another user is no repository to git: build it all the same.
export GOFLAGS := $(GOFLAGS) $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)
LDFLAGS := -s -w -X main.version=$(VERSION)

GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)

.PHONY: all demo test build deps deps-test lint vet unit race e2e accuracy soak soak-influx bench fuzz schema clean
all: build

demo: deps build
	bin/virtscope run quickstart

test: deps-test build lint race unit e2e

deps:
	@scripts/install-deps demo $(CACHE)

deps-test:
	@scripts/install-deps test $(CACHE)

build:
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/virtscope ./cmd/virtscope
	go build -trimpath -ldflags '-s -w' -o bin/virtscope-guest ./cmd/guest

lint: vet $(GOLANGCI)
	$(GOLANGCI) run ./...
	$(GOLANGCI) fmt --diff ./...

$(GOLANGCI):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

vet:
	go vet ./...

# What runs without a hypervisor, with the race detector. Packages that only compute run beside each other; the others one at a
# time, as many of them measure.
race:
	@set -e; p=$$(scripts/test-packages pure); set -x; CGO_ENABLED=1 go test -race -short $$p
	@set -e; p=$$(scripts/test-packages alone); set -x; CGO_ENABLED=1 go test -race -short -p 1 $$p

# What the race detector's run left out: packages with tests that need real guests or minutes, one at a time, in full.
unit:
	@set -e; p=$$(scripts/test-packages long); set -x; go test -count=1 -p 1 -timeout 20m $$p

e2e: build
	go test -count=1 -tags e2e -timeout 20m -v ./cmd/virtscope/...

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
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p; done; done

# What is generated from the comments of the language's types.
schema:
	go test ./experiments/... -update

clean:
	rm -rf bin $(CACHE)
