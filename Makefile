# Everything sets itself up: the first target that needs the environment makes it in .venv from requirements.lock.
.DEFAULT_GOAL := help
.PHONY: help demo lab test check lint bench soak readme lock clean
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Without bytecode every import is compiled anew, and everything is three times as slow.
unexport PYTHONDONTWRITEBYTECODE
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True
export PYTHONNOUSERSITE := 1

help:
	@echo "make demo    the whole story on this machine, in about two minutes"
	@echo "make lab     JupyterLab and MLflow's page, on loopback"
	@echo "make test    every test, the browser's included"
	@echo "make check   lint, types, layers and the fast tests of the chapters at and above a change"
	@echo "make bench   speed, side by side with the alternatives; writes tests/benchmarks/REPORT.md"
	@echo "make soak    the long proofs, and every further example of what the tests try once; writes tests/soak/REPORT.md"
	@echo "make soak SMALL=1  the same with small proofs; writes runs/soak.md"
	@echo "make readme  the transcript and the picture in the README, taken anew of the demo"
	@echo "make lock    resolve requirements.lock anew from pyproject.toml"

$(READY): requirements.lock pyproject.toml .ci/setup $(wildcard workbench/jupyterlab/labextension/*.json workbench/jupyterlab/labextension/static/*)
	@bash .ci/setup $(VENV)
	@touch $@

demo: $(READY)
	@bash .ci/programs ssh-keygen
	@$(BIN)/python -P -m workbench.demo

lab: $(READY)
	@$(BIN)/workbench lab

check: lint
	@chosen=$$($(BIN)/python -m tests.changed) && $(BIN)/python -m pytest -q -n 2 -m "not soak" $$chosen

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .import-linter.log 2>&1 || { cat .import-linter.log; rm .import-linter.log; exit 1; }
	@rm -f .import-linter.log

# Three workers for two processors: many tests wait for a kernel, a server or a page. A file is one worker's, for what it starts is
# started once; tests/conftest.py puts those first that take long.
test: $(READY)
	@bash .ci/programs ssh-keygen chromium
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not soak$$(command -v chromium >/dev/null || echo " and not browser")" tests

bench: $(READY)
	@bash .ci/programs ssh-keygen
	@$(BIN)/python -m tests.benchmarks

soak: $(READY)
	@bash .ci/programs ssh-keygen chromium
	@$(BIN)/python -m tests.soak $(if $(SMALL),--small --report runs/soak.md)
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m soak tests
	@EXAMPLES=300 $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not soak" tests/unit tests/contract

readme: $(READY)
	@bash .ci/programs ssh-keygen chromium
	@$(BIN)/python -m tests.e2e.demonstration

lock: $(READY)
	@$(BIN)/python -m uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) runs/demo runs/soak.md screenshots .pytest_cache .mypy_cache .ruff_cache .hypothesis
