# One word per action; arguments go through ARGS="…".
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint faults bench-log bench-ingest bench-decide bench-execute bench-audit bench-reports clean events lock containers
.DEFAULT_GOAL := demo

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("tradetrail needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "making .venv with every dependency: a minute or two, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)          ## the whole system on simulated vendors, a report and the dashboard
	$(BIN)/tradetrail demo $(ARGS)

# Each worker starts servers of its own (about 1.5 GB); tests wait for much of their time, so three keep two cores busy.
# Files go out as they are named, the long ones (e2e, faults) first: sorted by their number of tests, a campaign that is
# a single test would come last and keep one worker waiting for the others.
WORKERS ?= 3

test: $(READY)          ## every test, on a real Kafka, registry and Postgres that the tests start
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(READY)          ## style, types, layers, and that generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate_events --check

faults: $(READY)        ## kill, freeze and cut off services, and judge what is left; ARGS="--only SERVICE --rounds N"
	$(BIN)/python -m tests.faults.campaign $(ARGS)

containers: $(READY)    ## the image and docker-compose.yml, proven with a Docker engine: up, simulated days, the report, down
	TRADETRAIL_CONTAINERS=$${TRADETRAIL_CONTAINERS:-1} $(BIN)/python -m pytest tests/e2e/test_containers.py $(ARGS)

bench-log: $(READY)     ## what the log's settings bring, as ratios in one run
	$(BIN)/python -m benchmarks.bench_log $(ARGS)

bench-ingest: $(READY)  ## every disclosure of a data folder through the ingestor, twice; ARGS="--data FOLDER"
	$(BIN)/python -m benchmarks.bench_ingest $(ARGS)

bench-decide: $(READY)  ## how fast the decider decides, starts and replays; ARGS="--only latency,throughput,rebuild,replay"
	$(BIN)/python -m benchmarks.bench_decide $(ARGS)

bench-execute: $(READY) ## how fast orders reach the broker, and an executor is back; ARGS="--only latency,throughput,open"
	$(BIN)/python -m benchmarks.bench_execute $(ARGS)

bench-audit: $(READY)   ## how fast the auditor writes, beside a usual sink; ARGS="--only auditor,debezium,orm,limit,two,year,rebuild"
	$(BIN)/python -m benchmarks.bench_audit $(ARGS)

bench-reports: $(READY) ## how long reports take at 1 and at 10 million events; ARGS="--events-large N --keep FOLDER --only symbol_year,list_10k"
	$(BIN)/python -m benchmarks.bench_reports $(ARGS)

events: $(READY)        ## generate the typed events from schemas/
	$(BIN)/python -m tools.generate_events

lock:                   ## make the hash-pinned lock files again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra local --extra parquet --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements/dev.txt --extra parquet pyproject.toml -o requirements/services.txt
	echo hatchling | uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements/dev.txt - -o requirements/build.txt

clean:                  ## stop the local stack and remove what was made here
	@if [ -x $(BIN)/tradetrail ]; then $(BIN)/tradetrail down; fi
	rm -rf .venv .tradetrail .mypy_cache .ruff_cache .pytest_cache .hypothesis
