# Every target installs what it needs first. `make` alone says what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# SAM finds python3.13 and uv on the path; the layer's packages are kept here between builds.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)
export CARTWAKE_CACHE := $(CURDIR)/.build/layer
export SAM_CLI_TELEMETRY := 0
# Tools keep their bytecode, also where the shell says otherwise: it halves the time that they take to start.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := infra/install

.PHONY: help demo test prove mutate check sbom soak bench simulate install lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## the main job, live, on this machine; CHECK=1 runs the scripted part and ends
	@$(INSTALL) project engine tools
	@.venv/bin/cartwake demo $(if $(filter 1 true yes,$(CHECK)),--check)

test: ## everything that a change must pass
	@$(INSTALL) project engine tools chromium editor
	@.venv/bin/python infra/test.py $(ARGS)

prove: ## the long tier: every law with many more cases, the whole sweep, 3,000 worlds; resumes, and writes to docs/
	@$(INSTALL) project engine tools
	@.venv/bin/python infra/prove.py
	@.venv/bin/python infra/simulate.py --prove --seeds $(or $(SEEDS),3000)

mutate: ## change the core, see what no test notices; ARGS="trackers conditions.* --each 40"; resumes, writes to docs/
	@$(INSTALL) project mutmut
	@.venv/bin/python infra/mutate.py $(ARGS)

check: ## format, lint, types, template, starter files
	@$(INSTALL) project tools checkov
	@$(MAKE) -j --output-sync=target --keep-going check-template check-security check-code check-bill check-types check-sam check-lint check-format check-starter

.PHONY: check-format check-lint check-types check-template check-sam check-security check-code check-bill check-starter
check-format:
	@.venv/bin/ruff format --check --quiet . || { .venv/bin/ruff format --diff . ; exit 1; }

check-lint:
	@.venv/bin/ruff check --quiet .

check-types:
	@.venv/bin/mypy --no-error-summary

check-template:
	@.tools/bin/cfn-lint

check-sam:
	@.tools/bin/sam validate --lint --region eu-central-1 > .build/sam-validate.log 2>&1 || { cat .build/sam-validate.log; exit 1; }

check-security:
	@.tools/checkov/bin/checkov --config-file .checkov.yaml

# Ruff's own security rules ask for a reason at each place; what is left out here is only what they cover:
# B311: chance that is jitter or seeded. In infra also B105: the local engine's key is "test"; B310: addresses of the
# local engine; B404, B603: commands that are ours.
check-code:
	@.venv/bin/bandit --quiet --recursive functions layers/cartwake/cartwake --skip B311
	@.venv/bin/bandit --quiet --recursive infra --skip B105,B310,B311,B404,B603

check-bill:
	@.venv/bin/python infra/sbom.py --check

check-starter:
	@.venv/bin/cartwake check infra/starter

soak: ## recorded clients against the local engine for MINUTES=10, its workers killed in between; writes docs/soak.md
	@$(INSTALL) project engine tools
	@MINUTES=$(MINUTES) .venv/bin/pytest -q -s tests/security/test_soak.py

sbom: ## write the bill of materials, docs/sbom.cdx.json
	@$(INSTALL) project
	@.venv/bin/python infra/sbom.py

bench: ## ratios of the hot paths, measured in one run
	@$(INSTALL) project engine tools
	@.venv/bin/python infra/bench/run.py $(ARGS)

simulate: ## random worlds: SEEDS=100 FROM=0; POINT="story/call/fault" is one point of the sweep
	@$(INSTALL) project engine
	@.venv/bin/python infra/simulate.py $(if $(POINT),--point "$(POINT)",--seeds $(or $(SEEDS),100) --from $(or $(FROM),0)) $(ARGS)

install: ## every environment
	@$(INSTALL) project engine tools checkov

lock: ## pin every environment anew
	@$(INSTALL) locks

clean: ## remove environments and what was built
	@rm -rf .venv .tools .engine .build .aws-sam .hypothesis .ruff_cache
