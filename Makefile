# Every target sets up what it lacks: a suitable Python's virtual environment, pinned packages, system libraries.
# Without make: python3 packaging/bootstrap.py TARGET (on Windows: py packaging\bootstrap.py TARGET).

# More for the program or tool, for example: make run ARGS="--version", make test ARGS="-k sse".
ARGS ?=
TASKS := setup run test lint bench package lock

.PHONY: help clean $(TASKS)
.DEFAULT_GOAL := help

help:
	@echo "make setup    make .venv with the pinned packages; install missing system libraries"
	@echo "make run      start Desktop Chat; without a display, off screen with a picture"
	@echo "make test     the whole test suite"
	@echo "make lint     style, types, architecture, source rules"
	@echo "make bench    the benchmarks beside naive baselines"
	@echo "make package  the standalone program, in dist/"
	@echo "make lock     renew the lock files (ARGS=--upgrade: with newer versions)"
	@echo "make clean    remove everything that was made, but not your conversations"

$(TASKS):
	@python=$$(packaging/find-python.sh) && exec "$$python" packaging/bootstrap.py $@ $(ARGS)

clean:
	rm -rf .venv .venv-* .venv*.lock build dist screenshots *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find desktop_chat packaging tests -name __pycache__ -type d -prune -exec rm -rf {} +
