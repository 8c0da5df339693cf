# Two targets are for newcomers: run and test. `make help` lists all.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
LDFLAGS := -s -w -X main.version=$(VERSION)
PACKAGES = $(shell $(GO) list ./... | grep -v -e /testbed -e /tempest)

.DEFAULT_GOAL := help
.PHONY: help run build test test-unit test-host test-testbed demo bench tempest fuzz generate lint deps deps-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: deps build ## install what is needed, build, run everything on this machine
	@exec build/clinker dev $(ARGS)

build: ## build the binary build/clinker
	@mkdir -p build
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/clinker ./cmd/clinker

test: deps-test lint test-unit test-host test-testbed ## install what is needed and run every test

test-unit: ## unit and database tests
	$(GO) test -parallel 8 $(PACKAGES)

test-host: build ## black-box tests of the binary on this machine (file backend, tgt)
	CLINKER_BINARY=$(CURDIR)/build/clinker $(GO) test -p $$((2 * $$(nproc))) -count=1 -timeout 20m ./tempest/...

test-testbed: build ## LVM, LIO and open-iscsi in virtual machines
	CLINKER_BINARY=$(CURDIR)/build/clinker $(GO) test -p 2 -count=1 -timeout 30m ./testbed/...

lint: ## formatting and go vet
	@test -z "$$(gofmt -l $$(git ls-files '*.go' | grep -v /gen/))" || { gofmt -l $$(git ls-files '*.go' | grep -v /gen/); exit 1; }
	$(GO) vet ./...

demo: deps-test build ## the founding story, with two virtual machines
	$(GO) run ./testbed/demo

bench: deps-test build ## measure, with the aims beside the figures
	$(GO) run ./tempest/bench $(ARGS)

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
		$(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-10s} -fuzzminimizetime 20x || exit 1; done; done

generate: ## compile the Thrift IDL (Debian's thrift-compiler)
	$(GO) generate ./volumed/rpc

deps: ## install what running needs
	@deps/install.sh deps/run.txt

deps-test: deps build/versitygw ## install what the tests need
	@deps/install.sh deps/test.txt testbed/image/packages.txt

build/versitygw: deps/s3.txt # the S3 service of the tests: no package has one
	GOBIN=$(CURDIR)/build GOFLAGS= $(GO) install $$(cat deps/s3.txt)

tempest: build ## Debian's Tempest with Keystone and Glance against the binary (a quarter of an hour)
	@deps/install.sh deps/run.txt deps/tempest.txt
	CLINKER_BINARY=$(CURDIR)/build/clinker $(GO) test -v -tags tempest -run Tempest -count=1 -timeout 80m ./tempest/upstream -state $(CURDIR)/build/tempest $(ARGS)

clean: ## remove what was built
	rm -rf build
