# make demo: train, stabilise and measure a model on real data.   make test: everything that CI runs.
# make coverage: the share of the code that the tests run.          make docs: the API reference.
# make test-oldest: the tests with the oldest packages, on 3.11.    PYTHON=python3.13: another Python.
PYTHON ?= python3
VENV := .venv
SET := constraints.txt
PYTHONS := 3.10 3.11 3.12 3.13
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
READY := $(VENV)/ready-$(VERSION)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(SET)

.PHONY: demo test test-oldest pytest lint doctest coverage docs check-python clean

demo: $(READY)
	$(BIN)/python run_finest.py --config_files=properties/benchmark/demo.yaml

test: lint doctest pytest

test-oldest:
	$(MAKE) pytest VENV=.venv-oldest SET=constraints-oldest.txt PYTHONS=3.11

pytest: $(READY)
	$(BIN)/python -m pytest

# The examples in the docstrings, in a process of their own: collecting them imports RecBole's models
# unguarded, which slows every training step of the process down (compat.anomaly_detection_kept).
doctest: $(READY)
	$(BIN)/python -m pytest --doctest-modules recbole_finest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

docs: $(VENV)/docs
	rm -rf docs/api/generated
	$(BIN)/sphinx-build -q -W --keep-going -b html docs/api docs/_build/api
	@echo "docs/_build/api/index.html"

check-python:
	@test -n "$(filter $(VERSION),$(PYTHONS))" || { echo "$(SET) is a tested set of packages for \
	Python $(PYTHONS), and $(PYTHON) is $(VERSION): call make with PYTHON=python3.11" >&2; exit 1; }

# RecBole asks for a Ray that Python 3.12 and later do not have: setup.cfg has the rest of what it asks for.
$(READY): setup.cfg $(SET) | check-python
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) torch
	$(PIP) --no-deps recbole
	$(PIP) -e '.[test]'
	touch $(READY)

$(VENV)/docs: $(READY)
	$(PIP) -e '.[docs]'
	touch $(VENV)/docs

clean:
	rm -rf .venv .venv-oldest build dist *.egg-info docs/_build docs/api/generated htmlcov .coverage .coverage.*
