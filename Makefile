# The front door. CMake does the work (CMakePresets.json); `make` alone tells what there is.

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# make test TEST_ARGS="-R unit.money"   make demo ARGS="--payments 20000"
TEST_ARGS ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help
help: ## this list
	@echo 'Holdfast: an actor-model concurrent payment runtime'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: setup
setup: ## install what is needed (Debian packages, CAF); does nothing when all is there
	@tools/setup.sh

# $(1): a preset, $(2): its folder. Ninja configures again by itself when CMake files change.
define preset
	@test -f $(2)/build.ninja || cmake --preset $(1) --log-level=NOTICE
	@cmake --build $(2) --parallel $(JOBS)
endef

.PHONY: build
build: setup ## build/holdfast, optimised
	$(call preset,release,build)

.PHONY: debug
debug: setup ## the same for a debugger, in build/debug
	$(call preset,debug,build/debug)

.PHONY: asan
asan: setup ## the same with address and undefined-behaviour sanitizers, in build/asan
	$(call preset,asan,build/asan)

.PHONY: test
test: build ## every test, against a PostgreSQL of its own (TEST_ARGS: for ctest)
	@ctest --test-dir build --output-on-failure --no-tests=error --parallel 2 $(TEST_ARGS)

.PHONY: test-asan
test-asan: asan ## every test under the sanitizers
	@ctest --test-dir build/asan --output-on-failure --no-tests=error --parallel 2 $(TEST_ARGS)

ROUNDS ?= 1000
.PHONY: crash
crash: build ## load, kill -9 and audit, again and again (ROUNDS=1000)
	@HOLDFAST_BINARY=$(CURDIR)/build/holdfast HOLDFAST_CRASH_ROUNDS=$(ROUNDS) \
	  build/tests/integration_tests --run_test=crash_rounds --log_level=message

.PHONY: races
races: build ## refunds, captures and voids that race each other (ROUNDS=1000)
	@HOLDFAST_BINARY=$(CURDIR)/build/holdfast HOLDFAST_RACE_ROUNDS=$(ROUNDS) \
	  build/tests/integration_tests --run_test=races --log_level=message

.PHONY: faults
faults: build ## a fifth of the gateways' answers goes wrong, each way in turn (PAYMENTS=1000)
	@HOLDFAST_BINARY=$(CURDIR)/build/holdfast HOLDFAST_FAULT_PAYMENTS=$(PAYMENTS) \
	  build/tests/integration_tests --run_test=gateway_faults --log_level=message

# $(1): a suite or a test of the integration tests, which says what it found.
define measure
	@HOLDFAST_BINARY=$(CURDIR)/build/holdfast build/tests/integration_tests --run_test=$(1) --log_level=message
endef

KILLS ?= 20
KEYS ?= 1000
.PHONY: failover
failover: export HOLDFAST_CLUSTER_KILLS = $(KILLS)
failover: build ## kill -9 of a node under load, and how long each of its shards is out (KILLS=20)
	$(call measure,cluster_failover/every_shard_of_a_killed_node_serves_again_within_five_seconds)

.PHONY: same-keys
same-keys: export HOLDFAST_CLUSTER_KEYS = $(KEYS)
same-keys: build ## each key at all three nodes of a cluster at once (KEYS=1000)
	$(call measure,cluster_forwarding/the_same_key_at_all_nodes_at_once_charges_once)

.PHONY: forwarding
forwarding: build ## payments/s at the owner of their shards and at another node, in turn
	$(call measure,cluster_forwarding_figures)

.PHONY: idle-cluster
idle-cluster: build ## what three nodes cost that do nothing
	$(call measure,cluster_idle_figures)

.PHONY: leases
leases: build ## what renewing the leases of 10,000 shards costs
	$(call measure,lease_figures)

.PHONY: demo
demo: build ## a sandbox day: payments, settlement, statement (ARGS: for holdfast demo)
	@build/holdfast demo $(ARGS)

SEEDS ?= 1-1000
PAYMENTS ?= 1000
.PHONY: sim
sim: build ## simulated worlds with faults by seed (SEEDS=1-1000 PAYMENTS=1000; ARGS: for holdfast sim)
	@build/holdfast sim --seeds $(SEEDS) --payments $(PAYMENTS) --jobs $(JOBS) $(ARGS)

.PHONY: bench
bench: build ## measure a private installation (ARGS: for holdfast bench); results in bench/results
	@build/holdfast bench $(ARGS)

.PHONY: bench-all
bench-all: build ## every figure that is aimed at, next to its goal (ARGS: for tools/bench_table)
	@tools/bench_table $(ARGS)

.PHONY: budgets
budgets: build ## count the instructions of each step of a payment (UPDATE=1: as the new budgets)
	@tools/budgets $(if $(UPDATE),--update)

.PHONY: profile
profile: build ## where each microsecond of a payment goes, and a flame graph (ARGS: for holdfast bench)
	@tools/profile -- $(ARGS)

.PHONY: dev
dev: build ## PostgreSQL, sandbox and a node to play with (ARGS: for holdfast dev)
	@build/holdfast dev $(ARGS)

.PHONY: cluster
cluster: build ## the same with a cluster of three nodes, and the table of them (ARGS: for holdfast dev)
	@build/holdfast dev --nodes 3 $(ARGS)

.PHONY: format
format: ## lay out the sources with clang-format 14
	@tools/format

.PHONY: format-check
format-check: ## tell which sources are not laid out so
	@tools/format --check

.PHONY: tidy
tidy: build ## the rules that no compiler knows (tools/tidy), and every header alone
	@tools/tidy
	@cmake --build build --parallel $(JOBS) --target headers

.PHONY: clean
clean: ## remove build/ (the CAF in the cache folder stays)
	@rm -rf build
