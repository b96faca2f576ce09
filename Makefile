# make demo    a laboratory estate is provisioned, wrecked and rebuilt before your eyes
# make test    everything that is tested
# make help    the other targets
# All that is generated lies in build/.

PYTHON ?= python3
VENV := build/venv
BIN := $(VENV)/bin
PINS := tests/constraints/common.txt
LAB := build/lab
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/build/ansible
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
export PYTHONDONTWRITEBYTECODE :=

# A Python that is too old is told in a sentence; an environment of another Python, or of one that is gone, is made anew.
ifeq ($(MAKELEVEL),0)
ifneq ($(filter-out help figures lab-down clean,$(or $(MAKECMDGOALS),help)),)
FRESH := $(shell sh tests/tools/fresh_venv.sh $(VENV) $(PYTHON) 2>&1)
ifneq ($(.SHELLSTATUS),0)
$(error $(FRESH))
else ifneq ($(FRESH),)
$(info $(FRESH))
endif
endif
endif

.PHONY: help setup setup-test other-cores link demo demo-single test test-powershell test-nightly bench real-backups facts lint figures real-data-files real-rows sanity lab-up lab-down clean

help:
	@sed -n 's/^#: //p' Makefile

#: make demo          provision, wreck and rebuild a two-site estate in the lab; figures in build/demo.json (ESTATE=odd: build/demo-odd.json)
demo: setup build/scriptdom/.ready
	PYTHONPATH=tests/tools $(BIN)/python tests/demo/demo.py --estate $(or $(ESTATE),default) --report build/demo$(addprefix -,$(ESTATE)).json

#: make demo-single   the same for a single server; figures in build/demo-single.json
demo-single: setup build/scriptdom/.ready
	PYTHONPATH=tests/tools $(BIN)/python tests/demo/demo.py --estate single --report build/demo-single.json

#: make test          lint, unit, lab, modules, sql, playbooks, sites, powershell, molecule, sanity, awx, honesty; prints each one's seconds
test: setup-test
	$(BIN)/python tests/run.py

#: make test-powershell  verbs, roles and Ansible's modules in real PowerShells on PATH (pwsh, winpwsh); counts the cases of each script
test-powershell: setup-test
	@command -v pwsh >/dev/null || { echo "there is no pwsh on PATH"; exit 1; }
	PRS_ALL_SCRIPTS=1 $(BIN)/python tests/run.py --only powershell

#: make test-nightly  the same with long hauls (more examples, more versions of ansible-core)
test-nightly: setup-test docs matrix
	$(BIN)/python tests/run.py --nightly

#: make bench         benchmarks; figures in build/bench.json; AGAINST=folder measures an earlier checkout beside this one
bench: setup-test
	$(BIN)/python tests/bench/run.py $(if $(AGAINST),against "$(AGAINST)")

#: make bench-table   the table of figures in README.md, made from build/bench.json
.PHONY: bench-table
bench-table: setup
	$(BIN)/python tests/tools/bench_table.py

#: make facts         what the twins hold to be true of real hosts: the ledger in tests/lab/facts
facts: setup
	$(BIN)/python tests/tools/facts.py

#: make real-backups  read a folder of real backup files (FOLDER=...) without a server; fails at the first problem
real-backups: setup
	@PYTHONPATH=build/collections:tests/lab $(BIN)/python tests/tools/real_backups.py "$(FOLDER)"

#: make real-histories FOLDER=...  recorded histories and real backup files, given to the restore planner and to a brute force
.PHONY: real-histories
real-histories: setup
	PYTHONPATH=tests/tools $(BIN)/python tests/tools/real_histories.py $(FOLDER)

#: make docs          all texts and the modules' documentation as a site, in build/docs; a link that leads nowhere fails
.PHONY: docs
docs: setup $(VENV)/.docs
	$(BIN)/python tests/docs/build.py

#: make matrix        every supported ansible-core with every Python at hand, and the oldest and newest collections; build/matrix.md
.PHONY: matrix
matrix: setup
	PYTHONPATH=tests/tools $(BIN)/python tests/tools/matrix.py

#: make galaxy-check  what Galaxy's importer says of the archive that would be uploaded there
.PHONY: galaxy-check
galaxy-check: setup
	sh tests/tools/galaxy_check.sh $(PYTHON)

#: make test-awx AWX=folder   configure_awx against a real AWX, started from its source there (CONTRIBUTING says how to get it); minutes
.PHONY: test-awx
test-awx: setup $(VENV)/.test
	@[ -n "$(AWX)" ] || { echo "Which AWX? make test-awx AWX=folder"; exit 1; }
	AWX="$(AWX)" $(BIN)/python -m pytest -s tests/awx

#: make lint          ruff, yamllint, ansible-lint (production profile), documentation
lint: setup-test
	$(BIN)/python tests/run.py --only lint

#: make figures       how long functions are, what is decided in templates, what stands twice; with FOLDER=checkout another's
figures:
	@$(PYTHON) tests/tools/figures.py $(FOLDER)

#: make real-data-files FOLDER=...   read real data and log files, and hold them against each other
real-data-files: setup
	PYTHONPATH=build/collections $(BIN)/python tests/tools/real_data_files.py $(FOLDER)

#: make real-rows FOLDER=...   read every row of real data files and plain full backups, prove what can be proved, compare both
real-rows: setup
	PYTHONPATH=build/collections $(BIN)/python tests/tools/real_rows.py $(FOLDER)

#: make sanity        ansible-test sanity
sanity: setup-test
	$(BIN)/python tests/run.py --only sanity

#: make rehearse INVENTORY=folder   a disaster (DISASTER=total-loss, ...) on a laboratory of your own estate; secrets are replaced, vaults stay closed
.PHONY: rehearse
rehearse: setup
	@[ -n "$(INVENTORY)" ] || { echo "Which inventory? make rehearse INVENTORY=folder"; exit 1; }
	$(BIN)/prs-lab rehearse --inventory "$(INVENTORY)" $(if $(DISASTER),--disaster $(DISASTER)) $(if $(NETWORK),--network $(NETWORK))

#: make lab-up        start the lab (ESTATE=default, single, odd or a file; NETWORK=127.61.0.0), or go on with it; may be called twice
lab-up: setup
	$(BIN)/prs-lab up --state $(LAB) $(if $(ESTATE),--estate $(ESTATE)) $(if $(NETWORK),--network $(NETWORK))
	@echo "Next: $(BIN)/ansible-playbook -i $(LAB)/inventory prs.recovery.provision_prs"

#: make lab-down      stop the lab; its state stays in build/lab
lab-down: setup
	$(BIN)/prs-lab down --state $(LAB)

#: make link          link this clone as the collection prs.recovery below build/collections, with what it depends on (first makes build/venv)
link: build/collections/.ready

#: make clean         stop the lab and remove build/
clean:
	-[ ! -x $(BIN)/prs-lab ] || $(BIN)/prs-lab down --state $(LAB)
	rm -rf build

$(VENV)/.docs: tests/docs/requirements.txt $(VENV)/.lab
	$(BIN)/python -m pip install --quiet -c $(PINS) -c tests/constraints/core-2.19.txt -r tests/docs/requirements.txt
	@touch $@

# What demo and lab need, and what tests need on top of it.
setup: $(VENV)/.lab build/collections/.ready
setup-test: setup $(VENV)/.test $(VENV)/.kerberos build/scriptdom/.ready other-cores

# The oldest and the newest ansible-core, each where a Python that it runs on is at hand.
other-cores: build/collections/.ready
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then $(MAKE) --no-print-directory venv-2.16; \
	else echo "ansible-core 2.16 needs a Python before 3.13: not tested with"; fi
	@if python=$$(sh tests/tools/find_python.sh 3.14 3.13 3.12); then \
	    $(MAKE) --no-print-directory venv-2.21 PYTHON=$$python; \
	else echo "ansible-core 2.21 needs a Python of 3.12 or later: not tested with"; fi

$(VENV)/bin/python:
	@sh tests/tools/system_packages.sh unixodbc tdsodbc libgssapi-krb5-2 python3-venv ca-certificates
	@echo "making a virtual environment for this clone in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.lab: tests/constraints/common.txt tests/constraints/core-2.19.txt meta/ee-requirements.txt tests/lab/pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c $(PINS) -c tests/constraints/core-2.19.txt ansible-core -r meta/ee-requirements.txt -e tests/lab
	@touch $@

$(VENV)/.test: tests/requirements.txt $(VENV)/.lab
	@sh tests/tools/system_packages.sh shellcheck
	$(BIN)/python -m pip install --quiet -c $(PINS) -c tests/constraints/core-2.19.txt -r tests/requirements.txt
	@touch $@

# Made only where it worked: what a machine could not have today it may have tomorrow.
$(VENV)/.kerberos: tests/tools/kerberos.sh $(VENV)/.test
	@sh tests/tools/kerberos.sh $(BIN)/python $(PINS) $@

build/collections/.ready: tests/tools/fetch_collections.sh | $(VENV)/bin/python
	sh tests/tools/fetch_collections.sh $(BIN)/python
	@touch $@

build/scriptdom/.ready: tests/tools/fetch_scriptdom.sh | $(VENV)/.lab
	sh tests/tools/fetch_scriptdom.sh $(BIN)/python
	@mkdir -p $(@D) && touch $@

# Another version of ansible-core: make venv-2.16, make venv-2.21 (PYTHON=python3.13).
.PRECIOUS: build/venv-%/.ready
venv-%: build/venv-%/.ready ;

build/venv-%/.ready: tests/constraints/core-%.txt tests/constraints/common.txt | $(VENV)/bin/python
	@$(PYTHON) -m venv build/venv-$*
	@build/venv-$*/bin/python -m pip install --quiet -c $(PINS) -c $< ansible-core -r meta/ee-requirements.txt
	@touch $@
