# SPDX-License-Identifier: Apache-2.0
.DEFAULT_GOAL := help
SHELL := bash
BIN := .venv/bin
PACKAGES := pyproject.toml integrations/pyproject.toml constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MVN_COPY := mvn -q -B -Dstyle.color=never dependency:copy -DoutputDirectory=.venv-spark/jars
SPARK_JARS := io.openlineage:openlineage-spark_2.13:1.53.0 io.openlineage:openlineage-spark_2.12:1.53.0 \
	io.delta:delta-spark_4.0_2.13:4.4.0 io.delta:delta-storage:4.4.0 io.delta:delta-kernel-api:4.4.0 \
	io.delta:delta-kernel-defaults:4.4.0 io.delta:delta-kernel-unitycatalog:4.4.0 \
	org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0
# The first that answers: a name on the path may be a shim for a Python that is not there.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

.PHONY: help install test check lint house demo bench proof faults slow airflow-env spark-env clean

help:  ## Print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.dev  ## Make .venv with all that development needs

# Tests start Python a thousand times: where the environment forbids to write bytecode, each would compile anew.
test: .venv/.dev  ## Run every test that this machine can run
	@$(BIN)/python -m compileall -q lineagekit integrations
	$(BIN)/python -m pytest -ra --numprocesses auto --dist loadfile $(ARGS)

check: lint test  ## Run the linters, the type checker, the import contracts and the tests

lint: .venv/.dev house  ## Run all of check but the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy integrations/hatch_build.py
	$(BIN)/lint-imports

house: .venv/.dev  ## Measure modules, functions and headers against the house rules
	$(BIN)/python -m pytest -q tests/test_house.py

demo: .venv/.demo  ## Ten days of a pipeline, one of which goes wrong; needs Python 3.11 and nothing else
	$(BIN)/lineagekit demo

bench: .venv/.dev  ## Run each script in benchmarks/
	set -e; for script in $$(grep -l "^if __name__" benchmarks/*.py); do $(BIN)/python "$$script"; done

proof: .venv/.dev  ## Break pipelines that run for real, and count how often blame names the cause
	$(BIN)/python -m benchmarks.faults $(ARGS)
	$(BIN)/python benchmarks/surprise/run.py

faults: .venv/.dev  ## Run the tests that kill, flood and fill disks
	$(BIN)/python -m pytest -ra -m faults $(ARGS)

slow: .venv/.dev airflow-env .venv-airflow2/.done .venv-dbt/.done spark-env .venv-spark35/.done .venv-spark-newest/.done  ## Run the tests that take long
	$(BIN)/python -m pytest -ra -m slow $(ARGS)

clean:  ## Remove .venv and all that was built or remembered
	rm -rf .venv .venv-airflow .venv-airflow2 .venv-dbt .venv-spark .venv-spark35 .venv-spark-newest build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "no Python: got none that answers, expected 3.11 or newer. Install python3.11."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.dev: .venv/bin/python $(PACKAGES)
	$(PIP) --editable integrations --editable '.[dev,fast,s3]'
	@touch $@

airflow-env: .venv-airflow/.done  ## Make .venv-airflow, in which the tests of Airflow run it

.venv-airflow/.done: constraints-airflow.txt integrations/pyproject.toml pyproject.toml
	test -x .venv-airflow/bin/python || $(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-airflow.txt \
		--editable 'integrations[airflow]' --editable . pandas scikit-learn \
		apache-airflow-providers-common-sql apache-airflow-providers-sqlite
	@touch $@

.venv-airflow2/.done: integrations/pyproject.toml pyproject.toml
	test -x .venv-airflow2/bin/python || $(PYTHON) -m venv .venv-airflow2
	.venv-airflow2/bin/python -m pip install --quiet --disable-pip-version-check 'apache-airflow<3' \
		--editable 'integrations[airflow]' --editable . pandas scikit-learn \
		apache-airflow-providers-common-sql apache-airflow-providers-sqlite
	@touch $@

.venv-dbt/.done: integrations/pyproject.toml
	test -x .venv-dbt/bin/python || $(PYTHON) -m venv .venv-dbt
	.venv-dbt/bin/python -m pip install --quiet --disable-pip-version-check 'dbt-core<1.11' 'dbt-duckdb<1.10' \
		openlineage-dbt --editable integrations
	@touch $@

.venv-spark/.done: constraints-spark.txt integrations/pyproject.toml pyproject.toml
	test -x .venv-spark/bin/python || $(PYTHON) -m venv .venv-spark
	.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-spark.txt \
		--editable integrations --editable '.[fast,spark]'
	for jar in $(SPARK_JARS); do for try in 1 2 3; do $(MVN_COPY) -Dartifact=$$jar </dev/null && break; done; \
		[ -f ".venv-spark/jars/$$(cut -d: -f2,3 <<<$$jar | tr : -).jar" ] || exit 1; done
	@touch $@

# The oldest Spark that is supported, and the newest that there is: of both only the core is tested. pyarrow and the
# like are those of the main one.
SPARK_PIP := python -m pip install --quiet --disable-pip-version-check --editable integrations --editable '.[fast,spark]' \
	--constraint <(grep -vE '^(pyspark|py4j)==' constraints-spark.txt)

.venv-spark35/.done: constraints-spark.txt integrations/pyproject.toml pyproject.toml
	test -x .venv-spark35/bin/python || $(PYTHON) -m venv .venv-spark35
	.venv-spark35/bin/$(SPARK_PIP) 'pyspark<4'
	for jar in delta-spark_2.12 delta-storage; do for try in 1 2 3; do mvn -q -B -Dstyle.color=never dependency:copy \
		-DoutputDirectory=.venv-spark35/jars -Dartifact=io.delta:$$jar:3.3.3 </dev/null && break; done; \
		[ -f .venv-spark35/jars/$$jar-3.3.3.jar ] || exit 1; done
	@touch $@

.venv-spark-newest/.done: constraints-spark.txt integrations/pyproject.toml pyproject.toml
	test -x .venv-spark-newest/bin/python || $(PYTHON) -m venv .venv-spark-newest
	.venv-spark-newest/bin/$(SPARK_PIP) --upgrade pyspark
	@touch $@

spark-env: .venv-spark/.done  ## Make .venv-spark, in which the tests of Spark run it

.venv/.demo: .venv/bin/python $(PACKAGES)
	$(PIP) --editable integrations --editable '.[demo]'
	@touch $@
