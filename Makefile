# make demo: train, stabilise and measure a model on real data.   make test: everything that CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test lint check-python clean

demo: $(READY)
	$(BIN)/python run_finest.py --config_files=properties/benchmark/demo.yaml

test: $(READY) lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check-python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else "make uses the tested set of packages, which needs Python 3.11 (RecBole pins a Ray without later wheels); this is %d.%d: call make with PYTHON=python3.11" % v)'

$(READY): setup.cfg constraints.txt | check-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info
