# make demo: train, stabilise and measure a model on real data.   make test: everything that CI runs.
# make coverage: the share of the code that the tests run.          make docs: the API reference.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test lint doctest coverage docs check-python clean

demo: $(READY)
	$(BIN)/python run_finest.py --config_files=properties/benchmark/demo.yaml

test: $(READY) lint doctest
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
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else "make uses the tested set of packages, which needs Python 3.11 (RecBole pins a Ray without later wheels); this is %d.%d: call make with PYTHON=python3.11" % v)'

$(READY): setup.cfg constraints.txt | check-python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $(READY)

$(VENV)/docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $(VENV)/docs

clean:
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/api/generated htmlcov .coverage .coverage.*
