# Every task of the project. `make` lists them.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --warn-undefined-variables --no-builtin-rules

REV           ?=
MODULE        ?=
GATE          ?=
TIMES         ?= 50
PACKAGES      ?= ./...
BIN           := $(CURDIR)/.bin
GORELEASER    := $(BIN)/goreleaser-v2.16.0
# SQLite is translated C, whose memory is its own: to watch that, too, takes its tests five times as long.
RACE          := -race -gcflags=modernc.org/sqlite/lib=-race=false
D2            := $(BIN)/d2-v0.7.1
BENCHSTAT     := $(BIN)/benchstat-v0.0.0-20260908200009-22c9c6c9d4da

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: generate
generate: ## Regenerate gen/ from openapi.yaml
	go generate ./...

.PHONY: test
test: ## Run the tests
	go test ./...

.PHONY: race
race: ## Run the tests under the race detector, in another order each time
	go test $(RACE) -shuffle=on ./...

.PHONY: repeat
repeat: ## Run the tests of PACKAGES (default: all) TIMES times (default: 50) like that, compiled once
	FLAGS="$(RACE)" TIMES=$(TIMES) scripts/repeat $(PACKAGES)

.PHONY: lint
lint: ## Every gate of quality, or the one that GATE names; nothing is changed
	scripts/lint $(GATE)

.PHONY: gates-test
gates-test: ## Plant a fault for each gate, and see it found
	scripts/gates-test

.PHONY: api
api: ## Accept the exported API as it is, into checks/api/
	go test ./checks/api -update
	git diff --stat -- checks/api

.PHONY: lint-contract
lint-contract: ## Lint openapi.yaml by Redocly and Spectral, compile it to TypeScript (needs Node)
	scripts/lint-contract

.PHONY: breaking
breaking: ## Report what openapi.yaml breaks since REV (default: the last tag, else the first commit)
	scripts/contract-breaking $(REV)

.PHONY: soak
soak: ## Try durable delivery in full: kills, power cuts, figures (an hour)
	scripts/soak

.PHONY: bench
bench: $(BENCHSTAT) ## Measure the benchmarks beside those of REV (default: the last tag, else the branch's start)
	BENCHSTAT=$(BENCHSTAT) scripts/bench $(REV)

.PHONY: bench-allocs
bench-allocs: ## Fail if the benchmarks allocate more than benchmarks/baseline.txt has
	scripts/bench-allocs

.PHONY: mutation
mutation: ## Try the tests by mutants; docs/mutation.md explains those that survive
	go run ./internal/mutate ./wrapper ./conformance

.PHONY: run
run: ## Run the demo
	go run ./cmd/bentoctl demo

.PHONY: ci
ci: ## Everything that CI runs
	bash .ci/run

.PHONY: cast
cast: ## Film docs/bentoctl.svg anew
	scripts/cast

.PHONY: rename
rename: ## Give the module the path MODULE, everywhere it is named
	go run ./internal/rename "$(MODULE)"

.PHONY: release-check
release-check: $(GORELEASER) ## Try a release without publishing it: six platforms, the same bytes thrice
	scripts/release-check

$(GORELEASER):
	GOBIN=$(BIN) go install github.com/goreleaser/goreleaser/v2@v2.16.0
	mv $(BIN)/goreleaser $@

.PHONY: rooms
rooms: $(D2) ## Draw docs/rooms.svg anew, of docs/rooms.d2
	scripts/rooms

$(D2):
	GOBIN=$(BIN) go install oss.terrastruct.com/d2@v0.7.1
	mv $(BIN)/d2 $@

$(BENCHSTAT):
	GOBIN=$(BIN) go install golang.org/x/perf/cmd/benchstat@$(patsubst benchstat-%,%,$(notdir $@))
	mv $(BIN)/benchstat $@
