# The commands of the README. `make install` alone makes .venv with the command `wellread`.
PYTHON ?= python3
PIP_ARGS ?=
UV_ARGS ?=
OUT ?= demo
BIN := .venv/bin
# Two processes: a file's tests stay together, as they share what is made for them.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: install install-test demo check test test-all parity lowest bench docs clean

install: .venv/installed
install-test: .venv/installed-test

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[all]"
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[test]"
	@touch $@

.venv/installed-bench: .venv/installed
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[bench]"
	@touch $@

demo: install
	$(BIN)/wellread demo -o $(OUT)

check: install-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(PYTEST) -m "not slow and not real"

test-all: install-test
	$(PYTEST) -m "slow or real"

# Scores beside lm-evaluation-harness's, item by item, on the real files.
parity: install-test
	WELLREAD_PARITY=1 $(BIN)/python -m pytest tests/evaluate/test_lm_eval_parity.py

# The lower ends of the ranges in pyproject.toml, of every extra that tests use; constraints.txt has
# the upper ones. What reads, writes and computes with libraries of others is tested.
LOWEST_TESTS := base formats links crawl corpus tokenizer tokens model generation overlap report
.venv-lowest/installed: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet $(PIP_ARGS) uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python $(UV_ARGS) \
		--resolution lowest-direct -e ".[test]"
	@touch $@

lowest: .venv-lowest/installed
	NUMBA_CACHE_DIR=.venv-lowest/kernels .venv-lowest/bin/python -m pytest -n 2 --dist loadfile -m "not slow and not real" \
		$(addprefix tests/,$(LOWEST_TESTS))

# The tables of docs/benchmarks.md: half an hour on a machine that does nothing else.
bench: .venv/installed-bench
	for what in train encode curve pathological tokens; do \
		$(BIN)/python benchmarks/tokenizer.py $$what || exit 1; \
	done

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -c constraints.txt -e ".[docs]"
	@touch $@

# The manual, into build/site. The theme would announce another program's second version.
docs: .venv/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

clean:
	rm -rf .venv .venv-lowest build dist
