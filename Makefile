# `make predict` and `make test` each work alone on a machine with python3 and make.
VENV ?= .venv
PROMPT ?= A vintage travel poster of a lighthouse at dusk, bold shapes, the words "NORTH COAST"
export VENV
# As it was given: make would take the $ in "cost $5" for the start of a variable.
override export PROMPT := $(value PROMPT)

python = "$(VENV)/bin/python"
environment = ./scripts/environment
step = ./scripts/step
# Nothing in a test may depend on what the user's shell holds: not on a key, not on a proxy.
without_credentials = unset $$(env | sed -n \
	-e 's/^\(OPENAI_[A-Za-z0-9_]*\)=.*/\1/p' \
	-e 's/^\([A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=.*/\1/p')
pytest = $(without_credentials); ./scripts/temporary $(python) -m pytest
# What needs more than Python or takes minutes, left to `make ci`; markers in pyproject.toml.
needs_more = container or litellm or haproxy or clients or browser or postgres or long
object_store = github.com/versity/versitygw/cmd/versitygw tools/object-store

.DEFAULT_GOAL := help
.PHONY: help predict serve test ci test-quick lint format types tests tests-that-need-more docs \
	lock samples screenshots openapi cog-check container-test bench bench-api bench-smoke clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1#/p' Makefile | awk -F'#' '{ printf "  make %-16s %s\n", $$1, $$2 }'

predict: ## one picture from the sandbox, without Docker or a key: make predict PROMPT="..."
	@./scripts/predict -i prompt="$$PROMPT"

serve: ## keep the API up, with Cog's server and the sandbox behind it; REAL=1: OpenAI, for money; COG=1: Cog alone
	@./scripts/dev serve $(if $(REAL),--real) $(if $(COG),--cog)

test: lint types tests ## lint, types, and the tests that need only Python, without the long ones

# The tests come last, so that their summary ends what is printed.
ci: lint types cog-check container-test bench-smoke tests-that-need-more tests ## that, and all that needs Docker, Go, HAProxy or LiteLLM

test-quick: ## the contract and one prediction per path
	@$(environment) test
	@$(pytest) -m quick

lint: ## style and format, without changing anything
	@$(environment) test
	@$(step) lint sh -c '$(python) -m ruff check && $(python) -m ruff format --check'

types: ## mypy, strict
	@$(environment) test
	@$(step) types $(python) -m mypy

tests:
	@$(environment) test
	@echo "The tests take some minutes on 2 cores, and leave nothing behind."
	@$(pytest) -n 3 --dist loadfile -m "not ($(needs_more))"

tests-that-need-more:
	@$(environment) test
	@./scripts/package haproxy haproxy || test -z "$$CI"
	@./scripts/package pg_ctlcluster postgresql || test -z "$$CI"
	@./scripts/package node nodejs || test -z "$$CI"
	@./scripts/package npm npm || test -z "$$CI"
	@./scripts/package chromium chromium || test -z "$$CI"
	@test -z "$$CI" || ./scripts/go-tool $(object_store) >/dev/null
	@$(pytest) -n 2 --dist loadfile -m "litellm or haproxy or clients or (postgres and not long)"
	@$(pytest) -n 2 --dist loadfile -m browser
	@$(pytest) -n 2 --dist loadfile --shared -m "not ($(needs_more))" tests/api
	@$(pytest) -n 3 --dist loadfile -m "long and not (litellm or haproxy or clients)"

format: ## mend format and import order
	@$(environment) test
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

docs: ## write the tables that tests make into the documents
	@$(environment) test
	@UPDATE_DOCS=1; export UPDATE_DOCS; $(pytest) -q -m docs

lock: ## write the lock files of the Cog image and of the API, with exact pins for all they need
	@$(environment) test
	@./scripts/lock

samples: ## draw the sample inputs and the contact sheet again
	@$(environment) test
	@$(python) -m dev.samples

screenshots: ## show the API's page in every state, into docs/screenshots; needs Chromium
	@$(environment) test
	@./scripts/temporary $(python) -m dev.screenshots

openapi: ## write openapi.json from predict.py with the real Cog CLI
	@./scripts/openapi

cog-check: ## the real Cog CLI finds nothing to complain about
	@$(step) cog-check ./scripts/cog-check

container-test: ## build the image and run it, hardened
	@$(step) container-test ./scripts/temporary ./scripts/container-test

bench: ## every benchmark, side by side: 20 minutes, and 1.5 GB in .cache the first time
	@$(environment) test
	@echo "This takes 20 minutes, and 1.5 GB in .cache the first time."
	@./scripts/temporary $(python) -m benchmarks

bench-api: ## the API beside bare Cog and LiteLLM: up to 12 minutes
	@$(environment) test
	@./scripts/temporary $(python) -m benchmarks.api_bench

bench-smoke: ## one cell of the benchmarks
	@$(environment) test
	@$(step) bench-smoke ./scripts/temporary $(python) -m benchmarks --smoke

clean: ## remove what all of the above has made here, but for pictures
	rm -rf "$(VENV)" .cache .cog api-data .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
