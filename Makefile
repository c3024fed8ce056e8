# Works from a bare machine: targets first make .venv if they need it.
#
# DEVICE=cpu, cuda or mps chooses what models run on; by default, what the machine has. `make help`
# lists the targets that have a line of help, under the headings of this file.

ifeq ($(shell uname -s),Darwin)
  DEVICE ?= mps
else ifeq ($(shell nvidia-smi >/dev/null 2>&1 && echo yes),yes)
  DEVICE ?= cuda
else
  DEVICE ?= cpu
endif

ifeq ($(filter $(DEVICE),cpu cuda mps),)
  $(error DEVICE=$(DEVICE): expected cpu, cuda or mps)
endif

# vLLM has builds for Linux only, its CPU build for x86-64 only. Elsewhere, transformers generates.
ifeq ($(DEVICE),cuda)
  LOCK := requirements/gpu.txt
  SETTINGS := --config device=cuda
else ifeq ($(DEVICE) $(shell uname -sm),cpu Linux x86_64)
  LOCK := requirements/cpu.txt
  SETTINGS :=
else
  LOCK := requirements/portable.txt
  SETTINGS := --config device=$(DEVICE) 'generation={engine: transformers}'
endif

SNAKEMAKE := .venv/bin/snakemake
DEMO := $(SNAKEMAKE) --configfile config/demo.yaml
# The longest first, since they run side by side.
TESTS := $(wildcard tests/e2e tests/slurm tests/ops tests/workflow tests/unit)

# The study: a piece is one claim at one seed, and done once docs/study/data has its file. SEEDS chooses.
CLAIMS := gekhman unknown apeft grath flame
SEEDS ?= 1 2 3 4 5
STUDY := docs/study/data

.PHONY: help setup demo audit-demo new test test-ops test-gpu bench lint fetch push status clean-cache clean \
  lock audit \
  study study-tables $(CLAIMS:%=study-%)

##@ First steps

help: ## show this list
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-12s  %s\n", $$1, $$2}' Makefile
	@echo; echo 'DEVICE=cpu, cuda or mps chooses the device; here: $(DEVICE). INSTALLER=uv installs with uv.'

setup: ## install into .venv, once: exact versions, with pip or INSTALLER=uv
	@bash workflow/setup.sh $(LOCK)

demo: setup ## show in minutes, from a bare machine, what new knowledge and GRATH do to a small model
	@if $(DEMO) --dry-run $(SETTINGS) 2>&1 | grep '^Nothing to be done' >/dev/null; \
	then echo '0 jobs to run: everything is up to date'; \
	  PYTHONPATH=workflow .venv/bin/python -m scripts.print_headline \
	    --tables results/demo/tables --report results/demo/report/index.html; \
	else echo 'demo: fetches a model of 93 MB; took 15 minutes on two quiet cores of a server'; \
	  $(DEMO) --cores all $(SETTINGS); fi

audit-demo: setup ## show what tuning did to two checkpoints of the demo
	@test -d results/demo/smollm2-135m/seed-1/mix.unknown-100/convergence \
	  || { echo 'audit-demo: needs checkpoints of the demo, which do not exist yet; run make demo first'; exit 1; }
	@$(SNAKEMAKE) --configfile config/audit.yaml config/audit-demo.yaml --cores all $(SETTINGS)

##@ Your own runs

new: setup ## write a configuration to start from: MODEL=FOLDER or OWNER/NAME, FACTS=FILE, NAME=NAME
	@test -n '$(MODEL)' || { echo 'new: no model is named: make new MODEL=FOLDER FACTS=FILE'; exit 1; }
	@PYTHONPATH=workflow .venv/bin/python -m scripts.new_configuration --device $(DEVICE) \
	  --model '$(MODEL)' $(if $(FACTS),--facts '$(FACTS)') $(if $(NAME),--name '$(NAME)')

fetch: setup ## fetch models and data ahead, so that everything else runs without a network
	@$(SNAKEMAKE) --cores all fetch $(SETTINGS)

status: setup ## show what is on disk by run and stage, and what would run again
	@PYTHONPATH=workflow .venv/bin/python -m scripts.show_status
	@echo; echo 'Jobs that the configuration now asks for:'
	@$(DEMO) --dry-run $(SETTINGS) 2>&1 \
	  | sed -n '/^job  /,/^total/p; /^Nothing to be done/p; /Error/,$$p' | uniq

push: setup ## upload to a model hub, with a card: FOLDER=results/… REPO=OWNER/NAME CONFIRM=yes
	@PYTHONPATH=workflow .venv/bin/python -m scripts.push --folder '$(FOLDER)' --repo '$(REPO)' \
	  $(if $(filter yes,$(CONFIRM)),--confirm)

clean-cache: setup ## remove what killed runs left behind; list what else could go
	@PYTHONPATH=workflow .venv/bin/python -m scripts.clean_cache

clean: ## remove .venv and caches, but not results/
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis

##@ The study of the papers' claims

study: setup ## run what docs/study/data lacks (hours; SEEDS="1 2"), then its tables
	@for seed in $(SEEDS); do $(MAKE) --no-print-directory $(CLAIMS:%=study-%) SEEDS=$$seed || exit 1; done
	@$(MAKE) --no-print-directory study-tables

$(CLAIMS:%=study-%): study-%: setup
	@for seed in $(SEEDS); do \
	  if test -e $(STUDY)/$*/seed-$$seed.json; then echo "$*, seed $$seed: is done"; continue; fi; \
	  $(SNAKEMAKE) --cores all --configfile config/study/$*.yaml \
	    --config "seeds=[$$seed]" $(filter-out --config,$(SETTINGS)) \
	  && PYTHONPATH=workflow .venv/bin/python -m scripts.collect_piece --claim $* --seed $$seed \
	    --root results/study-$* --data $(STUDY) || exit 1; \
	done

study-tables: setup ## make the tables and figures of docs/study from docs/study/data
	@PYTHONPATH=workflow .venv/bin/python -m scripts.tabulate_study --folder docs/study \
	  --readme README.md

##@ Development

lint: setup ## check the style of the code and the form of the workflow
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/snakefmt --check Snakefile workflow/rules
	@$(SNAKEMAKE) --lint

test: setup lint ## lint, then all tests (as root on Debian, installs the Chromium and SLURM they need)
	@bash tests/install_browser.sh
	@bash tests/slurm/install.sh
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest $(TESTS) --durations=10 \
	  --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

test-ops: setup ## run the long tests: kills, SLURM, conda, no network, all model architectures
	@bash tests/slurm/install.sh
	@PLUMBLINE_WHOLE=1 .venv/bin/python -m pytest $(wildcard tests/ops tests/slurm) --durations=10
	@PLUMBLINE_WHOLE=1 .venv/bin/python -m pytest $(wildcard tests/unit tests/workflow tests/e2e) -m whole --durations=10

test-gpu: setup ## test engines and trainers on one GPU, in 8 minutes at most
	@PYTHONPATH=$(CURDIR)/workflow:$(CURDIR)/tests timeout --signal=INT 480 \
	  .venv/bin/python tests/gpu/gpu_check.py --device $(DEVICE)

bench: setup ## measure what each optimisation gains, in half an hour; ONLY=NAME,NAME for some
	@PYTHONPATH=$(CURDIR)/workflow:$(CURDIR)/tests:$(CURDIR)/tests/workflow \
	  .venv/bin/python tests/benchmarks/run.py --only '$(ONLY)'

lock: ## resolve the exact versions in requirements/ again
	@bash requirements/lock.sh

audit: ## ask the advisory service about known vulnerabilities in requirements/
	@bash requirements/audit.sh
