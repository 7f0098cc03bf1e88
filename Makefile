# Every target shares one .venv, which is rebuilt only when the lock file or Python changes.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
WARM := $(VENV)/.warm
STAMP := $(VENV)/.stamp-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)

# Empty: test modules, whose assertions are rewritten, are kept as bytecode. A warm start saves 6 s.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-fast lint check coverage ui bench lock clean

demo: $(WARM)
	$(BIN)/quant-assets demo $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist each --max-worker-restart 0 -o console_output_style=classic -m "not slow" $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test-fast

# Every line of what turns bars into money must be reached, kernels as plain Python: see pyproject.
QUANT := quant_assets_tests/quant
EXECUTION := $(QUANT)/simulation/execution
PLAIN := NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run -a -m pytest --hypothesis-seed=0 -p quant_assets_tests.plain_kernels
coverage: $(STAMP)
	$(BIN)/python -m coverage erase
	$(PLAIN) -m "not slow" $(EXECUTION) $(QUANT)/simulation/lean $(QUANT)/market/test_bar_panel.py \
	    $(QUANT)/market/test_bar_panel_inputs.py $(QUANT)/market/test_timeframes.py \
	    $(QUANT)/market/test_panel_doubts.py $(QUANT)/market/test_data_window.py \
	    $(QUANT)/market/test_membership.py \
	    $(QUANT)/market/test_longer_bars.py $(QUANT)/strategies \
	    $(QUANT)/risk $(QUANT)/sizing/entry quant_assets_tests/plugin_checks/test_execution.py \
	    quant_assets_tests/core/test_hashing.py quant_assets_tests/storage/test_trial_store.py
	$(PLAIN) -m slow $(wildcard $(foreach room,fx_and_lots slippage margin carry commissions fills model plug_ins_in_the_kernel,\
	    $(EXECUTION)/test_$(room).py)) $(QUANT)/risk $(QUANT)/sizing/entry \
	    $(QUANT)/market/test_data_window.py $(QUANT)/market/test_longer_bars.py \
	    $(QUANT)/strategies/test_memory.py $(QUANT)/strategies/test_columns.py \
	    quant_assets_tests/storage/test_trial_store.py
	$(BIN)/python -m coverage report

ui: $(STAMP)
	$(BIN)/quant-assets ui $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

# Needs uv (pip install uv); writes hashes and names no registry.
lock:
	uv pip compile pyproject.toml --extra demo --extra dev --universal --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 -o requirements.lock

$(STAMP):
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	rm -f $(VENV)/.stamp-*
	touch $@

# Kernels are compiled once, here, and not in the middle of a run.
$(WARM): $(STAMP) $(shell find quant_assets/quant -name '*.py')
	$(BIN)/quant-assets warmup
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
