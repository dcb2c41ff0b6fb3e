# Tidings: every command of the project stands here; `make` alone lists them.
# `make run` and `make test` need Go and make; a target that needs more fetches it into .cache/ or says what is missing.

ARCH      ?= arm64# of the Lambda functions: arm64 or amd64
VERSION   ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
ARGS      ?=# flags of the local stack, or of sam local start-api
TESTFLAGS ?=# flags of go test
BENCH     ?=# flags of make bench
SEEDS     ?= 10000# of make sim
SEED      ?=# the one seed that make sim replays
PEOPLE    ?= 20000# of make kill-test, as the next two
KILLS     ?= 60
PATIENT   ?= yes# waits for leases and graces as long as the design does
FUNCTIONS := signup preferences content editor compose dispatch deliver feedback
GODIRS    := functions infra internal templates

# What the functions are built with: no RPC server, no paths of this machine, no symbol tables (a smaller, faster start).
LAMBDA := CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH)
BUILD  := -trimpath -tags lambda.norpc -ldflags '-s -w -X tidings/internal/app.Version=$(VERSION)'

.DEFAULT_GOAL := help
.PHONY: help run test check test-dynamodb-local sim sim-teeth kill-test bench build templates keys cover sam-validate sam-build sam-local clean \
	check-format check-vet check-modules check-shell check-template

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the whole stack on this machine; make run ARGS='-data d -http 127.0.0.1:9000'
	@go build -o .cache/tidings-local ./infra/local && exec .cache/tidings-local $(ARGS)

test: ## every test that needs only Go; make test TESTFLAGS=-race
	go test $(TESTFLAGS) ./...

check: check-format check-vet check-modules check-shell check-template ## format, vet, staticcheck, modules, house rules, template
	go test -count=1 ./internal/house/... ./internal/app/...
	@echo "check: all is well"

test-dynamodb-local: ## contract, differential, end-to-end and small kill tests on the real DynamoDB Local (needs Java 17 and npm)
	infra/dynamodb-local.sh go test -count=1 $(TESTFLAGS) ./internal/dynamo/... ./internal/table/... ./internal/store/... ./infra/local/... ./infra/kill/...

sim: ## delivery under every fault, by seeds: make sim SEEDS=10000; make sim SEED=7 replays one and prints its history
	@go test -count=1 -v -timeout 0 -run 'TestSeeds$$' ./internal/delivery/sim -args $(if $(SEED),-seed=$(SEED),-seeds=$(SEEDS))

sim-teeth: ## look for new seeds for the simulation's deliberate breakages, and note them in its documentation
	go test -count=1 -timeout 0 -run 'TestTeeth$$' ./internal/delivery/sim -args -renew

kill-test: ## processes killed at random while they serve 20,000 people, ~9 min (needs Java 17 and npm); PEOPLE=2000 KILLS=25 PATIENT=no: 1 min
	infra/dynamodb-local.sh go test -count=1 -timeout 20m -v ./infra/kill -people $(PEOPLE) -kills $(KILLS) -patient=$(if $(filter no,$(PATIENT)),false,true)

bench: ## load, cost and growth, ~4 min; make bench BENCH='-big' for a million people; with Java 17 and npm, the binaries' use too
	@mkdir -p .cache && go build -o .cache/tidings-bench ./infra/bench
	@if command -v java >/dev/null; then infra/dynamodb-local.sh .cache/tidings-bench $(BENCH); else .cache/tidings-bench $(BENCH); fi

build: ## the eight functions as Lambda wants them, in build/; make build ARCH=amd64
	@for f in $(FUNCTIONS); do $(LAMBDA) go build $(BUILD) -o build/$$f/bootstrap ./functions/$$f || exit 1; done
	@ls -lh build/*/bootstrap | awk '{ print $$NF, $$5 }'

templates: ## compile the MJML mails to HTML (needs Node 20 or later)
	templates/email/build.sh

keys: ## a fresh document of secret keys, and how to store it
	@go run ./infra/keys

cover: ## test coverage by function, and as a page in .cache/cover.html
	@mkdir -p .cache
	go test -coverprofile=.cache/cover.out -coverpkg=./internal/... ./...
	go tool cover -func=.cache/cover.out | tail -1
	go tool cover -html=.cache/cover.out -o .cache/cover.html

sam-validate: ## cfn-lint and sam validate --lint (needs Python 3; fetches both into .cache/)
	infra/tools.sh sam validate --lint --template template.yaml

sam-build: ## build template.yaml as sam deploy does, into .aws-sam/
	infra/tools.sh sam build --parameter-overrides Architecture=$(if $(filter amd64,$(ARCH)),x86_64,arm64)

sam-local: ## the API in SAM's containers beside the local stack (needs Docker, Java 17, npm, Python 3); ARGS go to sam local start-api
	@infra/sam-local.sh $(ARGS)

clean: ## remove what was built
	rm -rf build .aws-sam .cache/cover.out .cache/cover.html .cache/tidings-local .cache/tidings-sam

check-format:
	@unformatted=$$(gofmt -l $(GODIRS)); [ -z "$$unformatted" ] || { echo "gofmt these:"; echo "$$unformatted"; exit 1; }

check-vet:
	go vet ./...
	go tool staticcheck ./...

check-modules:
	go mod tidy -diff
	go mod verify

check-shell:
	@for f in .ci/run $$(find infra templates -name node_modules -prune -o -name '*.sh' -print); do bash -n $$f || exit 1; done
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run $$(find infra templates -name node_modules -prune -o -name '*.sh' -print); \
	else echo "shellcheck is not installed: only the syntax of the scripts was checked"; fi

check-template:
	infra/tools.sh cfn-lint template.yaml
