# Everything a newcomer needs is two commands: make demo, make test.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.1
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN         := bin/paylinks
# Long tests of one goroutine: there is no race in them to detect, and the detector makes each take many times as long.
ONE_GOROUTINE := TestAllHistories|TestProtocol|TestAmountsOfTheWorld|TestBombs
FUZZTIME    ?= 30s
KILLS       ?= 500
TIME        ?= 1m
SEED        ?= 1

.PHONY: help demo test lint build install fuzz soak bench man clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## create a link for every row of samples/invoices.csv, against the in-process simulator
	$(BIN) run samples/invoices.csv --env simulator --rate 0 --ledger bin/demo/ledger.db --output bin/demo/invoices.links.csv
	@cat bin/demo/invoices.links.csv

test: ## run all tests; those of shared ledgers need PostgreSQL, and PgBouncer
	go test -race -timeout 40m -skip '^($(ONE_GOROUTINE))$$' ./...
	go test -run '^($(ONE_GOROUTINE))$$' ./job ./job/invoice ./job/invoice/xlsx ./store/postgres
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		echo "left out: the tests of shared ledgers, since PostgreSQL is not installed (Debian: postgresql and pgbouncer)"

lint: ## gofmt, go vet, staticcheck, import directions
	@unformatted="$$(gofmt -l .)"; if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -count=1 -run '^TestLayers$$' ./cmd/paylinks

build: ## build bin/paylinks
	@mkdir -p bin/demo
	go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN) ./cmd/paylinks

install: ## install paylinks into Go's bin folder
	go install -trimpath -ldflags '-X main.version=$(VERSION)' ./cmd/paylinks

fuzz: ## run each fuzzer for FUZZTIME (30s)
	@go list ./... | while read -r package; do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

soak: ## play random histories for TIME (1m), of one process and of several on PostgreSQL, from SEED (1) on, and kill paylinks at each operation on its disk and KILLS (500) times at random
	go test ./cmd/paylinks -count=1 -run '^TestSoak$$' -soak.time=$(TIME) -soak.seed=$(SEED) -timeout 0 -v
	go test ./cmd/paylinks -count=1 -run '^(TestSenders|TestRateOfThreeHosts)$$' -soak.time=$(TIME) -soak.seed=$(SEED) -timeout 0 -v
	go test ./cmd/paylinks -count=1 -run '^(TestCrashAnywhere|TestKills)$$' -crash.all -soak.kills=$(KILLS) -timeout 60m -v

bench: build ## measure paylinks beside its peers (some seven minutes) and write the table into bin/bench.md
	go run ./cmd/bench --paylinks $(BIN) --output bin/bench.md

man: build ## write manual pages into bin/man
	$(BIN) man bin/man

clean: ## remove what was built
	rm -rf bin
