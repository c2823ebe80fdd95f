# Every task of the project. `make` lists them.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --warn-undefined-variables --no-builtin-rules

REV           ?=
BIN           := $(CURDIR)/.bin
GOLANGCI_LINT := $(BIN)/golangci-lint-v2.12.2
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

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Format, vet and lint; nothing is changed
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt these files"; exit 1; }
	go vet ./...
	$(GOLANGCI_LINT) run ./...

.PHONY: lint-contract
lint-contract: ## Lint openapi.yaml by Redocly and Spectral, compile it to TypeScript (needs Node)
	scripts/lint-contract

.PHONY: breaking
breaking: ## Report what openapi.yaml breaks since REV (default: the last tag)
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
	go run ./internal/mutate ./wrapper
	go run ./internal/mutate -only '^(capture|failure|header|lines|live|moment)\.go' ./conformance

.PHONY: run
run: ## Run the demo
	go run ./cmd/bentoctl demo

.PHONY: ci
ci: ## Everything that CI runs
	bash .ci/run

# Linters stay out of go.mod: they would bring some two hundred modules.
$(GOLANGCI_LINT):
	GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
	mv $(BIN)/golangci-lint $@

.PHONY: cast
cast: ## Film docs/bentoctl.svg anew
	scripts/cast

$(BENCHSTAT):
	GOBIN=$(BIN) go install golang.org/x/perf/cmd/benchstat@$(patsubst benchstat-%,%,$(notdir $@))
	mv $(BIN)/benchstat $@
