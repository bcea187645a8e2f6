# Marquee's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install install-local install-plots up demo test refuse-parts check reset token fire import bench rate-compare generate schema openapi topics events refusals metrics resources system snapshots prose build format fuzz pins sbom install-aws deploy-check
# Settings of the caller's shell must not change which Python or database the commands use.
# Time zones are those of the pinned tzdata, never of the machine.
export PYTHONTZPATH :=
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGSSLMODE PGOPTIONS PGSERVICE

PY := .venv/bin/python
PORT ?= 3000

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: ## install everything into .venv from pinned requirements (the other commands do it when needed)
	@scripts/install.sh .venv requirements/local.txt requirements/dev.txt requirements/plots.txt

install-local: # packages that running the system needs, without those of tests and checks
	@scripts/install.sh .venv requirements/local.txt

install-plots: # the same packages and those that draw pictures
	@scripts/install.sh .venv requirements/local.txt requirements/plots.txt

up: install-local ## start the whole system on http://127.0.0.1:3000 (PORT=… for another port); Ctrl-C stops it
	@PORT=$(PORT) $(PY) -m demo.up

demo: install-plots ## run the main story against the running system, with real calls: CHAPTER=studio for one chapter
	@$(PY) -m demo.story $(CHAPTER)

# A part is a folder of tests/ that contains tests.
PARTS = $(sort $(foreach file,$(wildcard tests/*/test_*.py),$(word 2,$(subst /, ,$(file)))))
UNKNOWN_PARTS = $(filter-out $(PARTS),$(PART))
test: $(if $(UNKNOWN_PARTS),refuse-parts,install) ## run every test with a real PostgreSQL: PART="payments booking" for some parts
	@$(PY) -m pytest -q -n logical --dist worksteal $(addprefix tests/,$(PART))

refuse-parts:
	@echo "There is no part '$(UNKNOWN_PARTS)'. Choose from: $(PARTS)." >&2; exit 2

check: install ## run all checks: lint, types, English, SQL, templates, build, and drift of generated files
	@$(PY) -m scripts.check

fuzz: install ## send 400 made-up requests to every operation of the API
	@MARQUEE_FUZZ_EXAMPLES=400 $(PY) -m pytest -q tests/system/test_fuzz.py

reset: install-local ## delete the local data, so that make up starts with an empty database
	@$(PY) -m demo.reset

token: install-local ## print a token of the local issuer: USER=ana ORG=… ROLE=…
	@$(PY) -m demo.token --user "$(if $(filter command line,$(origin USER)),$(USER))" --org "$(ORG)" --role "$(ROLE)"

fire: install-local ## run a schedule of the running system now: NAME=PromoteWaitlistSchedule
	@$(PY) -m local fire "$(NAME)"

import: install-local ## load exports of an earlier system: FROM=folder
	@$(PY) -m demo.legacy --from "$(FROM)"

bench: install ## measure the speed and compare it with the floors: PART=booking for one part, QUICK=1 for rough figures
	@$(PY) -m bench $(PART) $(if $(QUICK),--quick)

rate-compare: install-plots ## rate the same events by both models and plot the difference: FROM=organization or votes.csv
	@$(PY) -m scripts.rate_compare --from "$(FROM)"

schema: install ## write sql/schema.sql and the tables of sql/retention.md from the migrations
	@$(PY) -m scripts.schema

generate: topics openapi events refusals metrics resources system schema ## write every generated file again

openapi: install ## write docs/openapi.json from the handlers' types
	@$(PY) -m scripts.openapi

events: install ## write events/*.json, a sample event of each trigger, from the template and the API document
	@$(PY) -m scripts.events

metrics: install ## write the list of metrics into docs/operate/operations.md
	@$(PY) -m scripts.metrics

refusals: install ## write the list of refusals into docs/reference/api.md
	@$(PY) -m scripts.refusals

topics: install ## write docs/topics.md, its JSON Schemas and messaging.topic_audience from the catalogue of topics
	@$(PY) -m scripts.topics

resources: install ## write the list of resources into docs/operate/deploy.md
	@$(PY) -m scripts.resources

system: install ## write docs/system.md, the diagrams of the running system, from template.yaml
	@$(PY) -m scripts.system

snapshots: install ## write the snapshots of every message and page again, and list those that changed
	@$(PY) -m tests.kit.snapshots

prose: install ## check the English of docs, code, templates and messages: FOLDER=docs for one folder, SUMMARY=1 for figures
	@$(PY) -m scripts.prose $(FOLDER) $(if $(SUMMARY),--summary)

install-aws:
	@scripts/install.sh .venv-aws requirements/aws.txt

pins: ## pin the packages of requirements/*.in again (UPGRADE=1 for the newest versions)
	@scripts/pins.sh

RUNTIME ?= $(shell python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Some pinned libraries have no arm64 wheel that runs on Lambda's image of Python 3.11.
ARCHITECTURE ?= $(if $(filter 3.11,$(RUNTIME)),x86_64,$(shell uname -m | sed 's/aarch64/arm64/'))
build: install-aws ## build the deployment package: RUNTIME=3.13 ARCHITECTURE=arm64, by default those of this machine; CACHED=1 skips a build without changes
	@scripts/build.sh $(RUNTIME) $(ARCHITECTURE) $(if $(CACHED),cached)

deploy-check: install ## deploy to an emulator of AWS, book there and retry (opt-in; not part of make check)
	@$(MAKE) --no-print-directory build CACHED=1
	@scripts/install.sh .venv-emulator requirements/emulator.txt
	@$(PY) -m scripts.deploy_check

sbom: install ## write the software bills of materials into .sbom/ and check their licences
	@$(PY) -m scripts.sbom

format: install ## format Python and SQL
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix-only -q . && $(PY) -m sqlfluff fix -q sql
