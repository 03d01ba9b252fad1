# `make predict` and `make test` each work alone on a machine with python3 and make.
VENV ?= .venv
PROMPT ?= A vintage travel poster of a lighthouse at dusk, bold shapes, the words "NORTH COAST"
export VENV PROMPT

python = $(VENV)/bin/python
environment = ./scripts/environment
# What the shell of the user holds must reach no test: not a key, not a proxy.
without_credentials = unset $$(env | sed -n \
	-e 's/^\(OPENAI_[A-Za-z0-9_]*\)=.*/\1/p' \
	-e 's/^\([A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=.*/\1/p')

.DEFAULT_GOAL := help
.PHONY: help predict serve test test-quick lint format types docs lock samples openapi cog-check \
	container-test bench bench-smoke

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1#/p' Makefile | awk -F'#' '{ printf "  make %-16s %s\n", $$1, $$2 }'

predict: ## one picture from the sandbox, without Docker or a key: make predict PROMPT="..."
	@./scripts/predict -i prompt="$$PROMPT"

serve: ## keep Cog's server and the sandbox up, on port 5000 if it is free
	@$(environment)
	@$(python) -m dev.serve

test: lint types cog-check container-test bench-smoke ## everything that CI runs
	@$(without_credentials); $(python) -m pytest -m "litellm or haproxy"
	@$(without_credentials); $(python) -m pytest -n 2 --dist loadfile \
		-m "not (container or litellm or haproxy)"

test-quick: ## the contract and one prediction per path
	@$(environment) test
	@$(without_credentials); $(python) -m pytest -m quick

lint: ## style and format, without changing anything
	@$(environment) test
	@$(python) -m ruff check
	@$(python) -m ruff format --check

types: ## mypy, strict
	@$(environment) test
	@$(python) -m mypy

format: ## mend format and import order
	@$(environment) test
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

docs: ## write the tables that tests make into the documents
	@$(environment) test
	@$(without_credentials); UPDATE_DOCS=1 $(python) -m pytest -q -m docs

lock: ## write the lock files of the Cog image and of the API, with exact pins for all they need
	@$(environment) test
	@./scripts/lock

samples: ## draw the sample inputs and the contact sheet again
	@$(environment) test
	@$(python) -m dev.samples

openapi: ## write openapi.json from predict.py with the real Cog CLI
	@./scripts/openapi

cog-check: ## the real Cog CLI finds nothing to complain about
	@./scripts/cog-check

container-test: ## build the image and run it, hardened
	@./scripts/container-test

bench: ## every benchmark, side by side; takes up to 20 minutes
	@$(environment) test
	@$(python) -m benchmarks

bench-smoke: ## one cell of the benchmarks
	@$(environment) test
	@$(python) -m benchmarks --smoke
