# Everything from a bare machine: each target first makes .venv if it has to.
#
# DEVICE=cpu, cuda or mps chooses what models run on; without it: what is there.

ifeq ($(shell uname -s),Darwin)
  DEVICE ?= mps
else ifeq ($(shell nvidia-smi >/dev/null 2>&1 && echo yes),yes)
  DEVICE ?= cuda
else
  DEVICE ?= cpu
endif

# vLLM's builds are for Linux; its CPU build for x86-64. Elsewhere transformers generates.
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
# Side by side on all cores, the longest first.
TESTS := $(wildcard tests/e2e tests/slurm tests/ops tests/workflow tests/unit)

# The study: a piece is one claim at one seed, and whole where its manifest lies. SEEDS says which.
CLAIMS := gekhman unknown apeft grath flame
SEEDS ?= 1 2 3 4 5
STUDY := docs/study/data

.PHONY: help setup demo audit-demo test test-ops test-gpu bench lint fetch status clean-cache clean \
  lock audit \
  study study-tables $(CLAIMS:%=study-%)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

setup: ## make .venv with the exact versions of requirements/ (once, some minutes)
	@bash workflow/setup.sh $(LOCK)

demo: setup ## show in minutes what new knowledge and GRATH do, and print what was found
	@if $(DEMO) --dry-run $(SETTINGS) 2>&1 | grep '^Nothing to be done' >/dev/null; \
	then echo '0 jobs to run: everything is up to date'; \
	else $(DEMO) --cores all $(SETTINGS); fi
	@PYTHONPATH=workflow .venv/bin/python workflow/scripts/print_headline.py \
	  --tables results/demo/tables --report results/demo/report/index.html

audit-demo: setup ## show in minutes what tuning did to two checkpoints of `make demo`
	@test -d results/demo/smollm2-135m/seed-1/mix.unknown-100/convergence \
	  || { echo 'audit-demo: looks at checkpoints of the demo, which are not there; run make demo first'; exit 1; }
	@$(SNAKEMAKE) --configfile config/audit.yaml config/audit-demo.yaml --cores all $(SETTINGS)
	@PYTHONPATH=workflow .venv/bin/python workflow/scripts/print_headline.py \
	  --tables results/audit-demo/tables --report results/audit-demo/report/index.html

fetch: setup ## fetch the models and data ahead; everything after it runs without a network
	@$(SNAKEMAKE) --cores all fetch $(SETTINGS)

status: setup ## what lies on disk by run and stage, and what would run again
	@PYTHONPATH=workflow .venv/bin/python -m scripts.show_status
	@echo; echo 'Jobs that the configuration now asks for:'
	@$(DEMO) --dry-run $(SETTINGS) 2>&1 \
	  | sed -n '/^job  /,/^total/p; /^Nothing to be done/p; /Error/,$$p' | uniq

clean-cache: setup ## remove what dead runs left and no result needs; say what else could go
	@PYTHONPATH=workflow .venv/bin/python -m scripts.clean_cache

test: setup lint ## lint, then all tests: unit, workflow, end to end, SLURM, operation in short
	@bash tests/install_browser.sh
	@bash tests/slurm/install.sh
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest $(TESTS) --durations=10 \
	  --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

test-ops: setup ## at length: operation (SLURM, conda, faults, no network), then what takes long of all else
	@bash tests/slurm/install.sh
	@PLUMBLINE_WHOLE=1 .venv/bin/python -m pytest $(wildcard tests/ops tests/slurm) --durations=10
	@PLUMBLINE_WHOLE=1 .venv/bin/python -m pytest $(wildcard tests/unit tests/workflow) -m whole --durations=10

bench: setup ## what the ways to save time give (docs/performance.md); ONLY=NAME,NAME for some
	@PYTHONPATH=$(CURDIR)/workflow:$(CURDIR)/tests:$(CURDIR)/tests/workflow \
	  .venv/bin/python tests/benchmarks/run.py --only '$(ONLY)'

test-gpu: setup ## engines and trainers on one GPU in 8 minutes at most, as one table
	@PYTHONPATH=$(CURDIR)/workflow:$(CURDIR)/tests timeout --signal=INT 480 \
	  .venv/bin/python tests/gpu/gpu_check.py --device $(DEVICE)

study: setup ## run what docs/study/data lacks of the study (hours; SEEDS="1 2"), then its tables
	@for seed in $(SEEDS); do $(MAKE) --no-print-directory $(CLAIMS:%=study-%) SEEDS=$$seed || exit 1; done
	@$(MAKE) --no-print-directory study-tables

$(CLAIMS:%=study-%): study-%: setup
	@for seed in $(SEEDS); do \
	  if test -e $(STUDY)/$*/seed-$$seed.json; then echo "$*, seed $$seed: is there"; continue; fi; \
	  $(SNAKEMAKE) --cores all --configfile config/study/$*.yaml \
	    --config "seeds=[$$seed]" $(filter-out --config,$(SETTINGS)) \
	  && PYTHONPATH=workflow .venv/bin/python -m scripts.collect_piece --claim $* --seed $$seed \
	    --root results/study-$* --data $(STUDY) || exit 1; \
	done

study-tables: setup ## bring docs/study/data into claims.csv, the table of docs/study and its figures
	@PYTHONPATH=workflow .venv/bin/python -m scripts.tabulate_study --folder docs/study

lint: setup ## check style and the workflow's form
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/snakefmt --check Snakefile workflow/rules
	@$(SNAKEMAKE) --lint

lock: ## resolve the lists of exact versions in requirements/ again
	@bash requirements/lock.sh

audit: ## ask for known vulnerabilities in requirements/ (needs the advisory service's network)
	@bash requirements/audit.sh

clean: ## remove .venv and caches; results/ stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
