# The two commands of a newcomer are `make demo` and `make test`.
.PHONY: help demo test lint check slow integrations cluster browser bench docs clean
PY := .venv/bin/python

help:      ## this list
	@sed -n 's/^\([a-z]*\): .*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: .venv/demo.done      ## install, then watch a network grok
	.venv/bin/latebloom run demo

test: .venv/test.done      ## install, then the fast tests
	$(PY) -m pytest -m "not slow and not browser" -n 2

lint: .venv/dev.done      ## format, lint, strict types, import contracts
	.venv/bin/ruff format --check src tests benchmarks docs
	.venv/bin/ruff check src tests benchmarks docs
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint test      ## what must be green before a commit

slow: .venv/dev.done      ## every crash point, hundreds of kills, long properties
	$(PY) -m pytest -m slow --ignore tests/lab/test_ray_engine.py --ignore tests/integrations

integrations: .venv/integrations.done      ## the adapters in real trainings of Lightning, Hugging Face, Keras, accelerate; W&B, MLflow
	$(PY) -m pytest -m slow -n 2 --dist loadfile tests/integrations

cluster: .venv/dev.done      ## a sweep over two Ray nodes in network namespaces (root and ip), which die and vanish
	$(PY) -m pytest tests/lab/test_ray_engine.py

browser: .venv/dev.done      ## the report in a real browser (Debian: apt-get install chromium)
	$(PY) -m pytest -m browser

bench: .venv/dev.done      ## measure all figures of docs/performance.md, on quiet cores; takes a while
	$(PY) -m benchmarks

docs: .venv/dev.done      ## redraw what the documents take from the code and from committed results
	$(PY) -m docs.draw

clean:      ## forget the environment
	rm -rf .venv

.venv/demo.done: pyproject.toml constraints.txt scripts/bootstrap.sh
	sh scripts/bootstrap.sh
	@touch $@

.venv/test.done: pyproject.toml constraints.txt scripts/bootstrap.sh
	EXTRAS=[test] sh scripts/bootstrap.sh
	@touch $@ .venv/demo.done

.venv/dev.done: pyproject.toml constraints.txt scripts/bootstrap.sh
	EXTRAS=[dev,browser,ray] sh scripts/bootstrap.sh
	@touch $@ .venv/test.done .venv/demo.done

.venv/integrations.done: pyproject.toml constraints.txt scripts/bootstrap.sh
	EXTRAS=[dev,browser,ray,integrations] sh scripts/bootstrap.sh
	@touch $@ .venv/dev.done .venv/test.done .venv/demo.done
