# Latchkey's commands. `make` alone lists them.
SHELL := bash
GO    ?= go

# What Debian must have is checked by scripts/deps; Go modules come from the
# module proxy. No version-control stamps: the same source gives the same bytes.
export GOFLAGS := -buildvcs=false $(filter-out -buildvcs=%,$(GOFLAGS))

.DEFAULT_GOAL := help
.PHONY: help build deps check test model simulate lint results soak fuzz bench growth bench-check microbench screenshots bundle pack interop clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: ## one static binary: bin/latchkey
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/latchkey ./cmd/latchkey

deps: ## install what the tests talk to (Debian, root), when missing
	scripts/deps

# With -race all three share one compilation of everything below, which a
# machine with an empty cache (CI) would else pay for twice: two minutes.
check: bin/staticcheck ## gofmt, go vet, staticcheck
	@unformatted=$$(find . \( -name bin -o -name node_modules -o -name '.?*' -o -name testdata \) -prune -o -name '*.go' -print | xargs gofmt -l) && \
		if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet -race ./...
	GOFLAGS="$(GOFLAGS) -race" bin/staticcheck ./...

test: deps check ## everything CI runs: check, and all tests, most rooms' with the race detector
	$(GO) test -race -vet=off -count=1 -p 3 -timeout 18m $$($(GO) list ./... | grep -vE '/($(subst $(space),|,$(WHOLE)))$$')
	$(GO) test -race -vet=off -count=1 -timeout 18m -run 'Postgres.*Contract|Batch|Fact|Closing' ./internal/store
	$(QUICK) -p 4 -timeout 18m $(addprefix ./internal/,$(WHOLE))

# Tests that drive the whole program from outside: browsers, kills, replicas,
# load; and those of links and of the store, whose counts of attempts and rows are
# large. They run without the race detector, which makes them two to four times as
# slow, but for what the store does at once; and with the flags of the binaries
# that tests build, so that the two share their compilation. The longest is first.
WHOLE = $(addprefix latchtest/,soaktest embedtest killtest simtest browsertest conformancetest e2etest guardtest hooktest \
	backuptest replicatest sdktest) link store
QUICK = CGO_ENABLED=0 $(GO) test -trimpath -vet=off -count=1

empty :=
space := $(empty) $(empty)

results: deps ## all tests without the race detector, printing the figures that they owe
	$(GO) test -count=1 -p 2 -timeout 14m -v ./... | { grep -E '^(RESULT|FAIL|--- FAIL|panic)' || true; }; exit $${PIPESTATUS[0]}

soak: deps ## hours: every test that has a long run (LATCHKEY_SOAK), one package after the other, printing the figures
	LATCHKEY_SOAK=1 $(GO) test -count=1 -p 1 -timeout 180m -v \
		$$(grep -rl '"latchkey/internal/latchtest/scaletest"' --include='*_test.go' . | xargs -n1 dirname | sort -u) \
		| { grep -E '^(RESULT|FAIL|ok|soak:|--- FAIL|panic)' || true; }; exit $${PIPESTATUS[0]}

model: ## 100,000 random sequences against the machine of a link (MODEL=n for another number)
	$(GO) test -run TestNoSequenceLeavesTheTable -count=1 -parallel 4 -timeout 180m ./internal/link -args -rapid.checks=$(or $(MODEL),100000)

simulate: ## a million seeds of the simulator, some six hours (SEEDS=n for another number)
	$(QUICK) -timeout 24h -v -run TestSixInvariants ./internal/latchtest/simtest -args -seeds=$(or $(SEEDS),1000000)

lint: bin/golangci-lint ## the slower linters (building them takes minutes)
	bin/golangci-lint run ./...

interop: ## against the reference server of the AT Protocol, from npm (some 900 MB); writes docs/interop.md
	scripts/interop

fuzz: ## every fuzz target for FUZZTIME (60s)
	scripts/fuzz $(or $(FUZZTIME),60s)

bench: deps ## half an hour: against a bare net/http server, on both databases; writes its table into docs/performance.md (BENCH="-operations init -rounds 1" for less)
	$(GO) build -o bin/bench ./bench
	bin/bench -report docs/performance.md $(BENCH)

growth: deps ## hours: the same with 0, 1 and 10 million sessions and connections; draws into docs (GROWTH="-growth 0,100000" for less)
	$(GO) build -o bin/bench ./bench
	bin/bench -connections 64 -curves docs $(or $(GROWTH),-growth 0,1000000,10000000)

bench-check: deps ## fail when a ratio is 10 % below the recorded one
	$(GO) build -o bin/bench ./bench
	bin/bench -connections 64 -check bench/recorded.json

microbench: ## every benchmark of a package
	$(GO) test -run='^$$' -bench=. -benchmem -timeout 30m ./...

screenshots: ## draw the hosted pages and the demo into docs/screenshots
	$(GO) test -run TestScreenshots -count=1 ./internal/latchtest/e2etest -args -screenshots=$(CURDIR)/docs/screenshots
	mkdir -p docs/screenshots/every
	LATCHKEY_SCREENSHOTS=$(CURDIR)/docs/screenshots/every $(GO) test -run TestPagesInABrowser -count=1 ./internal/hosted
	$(GO) test -run TestTwoMinutesInABrowser -count=1 ./internal/demo -args -screenshots=$(CURDIR)/docs/screenshots

bundle: ## make the scripts for browsers out of their TypeScript
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -o ../bin/bundle ./bundle
	bin/bundle

# React's package is compiled against what embed's has built beside it.
pack: ## the npm packages: bin/npm/*.tgz
	mkdir -p bin/npm
	for name in server embed react; do \
		(cd sdk/js/$$name && npm ci --no-audit --no-fund && npm pack --pack-destination "$(CURDIR)/bin/npm") || exit 1; \
	done

clean: ## remove what was built
	rm -rf bin

bin/staticcheck: tools/go.mod tools/go.sum
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -o ../$@ honnef.co/go/tools/cmd/staticcheck

bin/golangci-lint: tools/go.mod tools/go.sum
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
