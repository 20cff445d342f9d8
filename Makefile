# Each target does all of its own set-up: on a fresh Debian 12 it needs root, Python 3.11, git and make.
# What is slow to make (.venv, .tox, .cache) is kept between runs and ignored by git.

export IOP_CACHE := $(CURDIR)/.cache

help:
	@echo "make demo    an app deployed twice, under load, to a server made for the occasion"
	@echo "make test    lint, types and every test (make test ENV=unit,proxy for some)"
	@echo "make lint    ruff alone"
	@echo "make bench   our proxy and our image transfer against their peers"
	@echo "make conformance  suites and tools of others against the proxy (docs/conformance.md)"
	@echo "make fuzz    the proxy's readers and connections against random bytes (make fuzz EXAMPLES=20000)"
	@echo "make soak    the proxy under mixed load, worker kills and restarts (make soak MINUTES=10)"
	@echo "make docs    check that the documentation is true"

demo: .venv/complete
	.venv/bin/iop demo

test: .venv/complete
	.venv/bin/tox run $(if $(ENV),-e $(ENV))

lint: .venv/complete
	.venv/bin/ruff check . && .venv/bin/ruff format --check .

bench: .venv/complete
	.venv/bin/python bench/proxy.py
	.venv/bin/python bench/transfer.py

conformance: .venv/complete
	.venv/bin/python -m tests.conformance

soak: .venv/complete
	.venv/bin/python -m tests.soak --minutes $(or $(MINUTES),10)

fuzz: .venv/complete
	EXAMPLES=$(or $(EXAMPLES),20000) .venv/bin/pytest tests/unit/proxy -k "fuzz or breaks or framing" --hypothesis-profile=fuzz

docs: .venv/complete
	.venv/bin/pytest tests/unit/test_docs.py

# Written last, so that an interrupted installation starts over.
.venv/complete: requirements.txt pyproject.toml .ci/venv
	@bash .ci/venv .venv
	@echo "Installing what requirements.txt pins, and iop itself (about half a minute)"
	@.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.PHONY: help demo test lint bench conformance fuzz soak docs
