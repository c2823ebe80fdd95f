# Every task of the project. `make` lists them.

SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --warn-undefined-variables --no-builtin-rules

REV           ?=
MODULE        ?=
BIN           := $(CURDIR)/.bin
GOLANGCI_LINT := $(BIN)/golangci-lint-v2.12.2
GORELEASER    := $(BIN)/goreleaser-v2.16.0
D2            := $(BIN)/d2-v0.7.1

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
