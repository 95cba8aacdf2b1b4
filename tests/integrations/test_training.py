# SPDX-License-Identifier: Apache-2.0
"""Training: what a model was set to, how it scored, and which file is a model, for each library that trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrations.batch import Batch, Case, Told

BATCH = Batch(
    prelude="""
import inspect, joblib, lightgbm as lgb, numpy as np, pickle, sys, threading, warnings, xgboost as xgb
import sklearn.metrics as metrics
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
x, y = np.random.default_rng(0).random((60, 2)), np.arange(60) % 2
quiet = {"verbosity": -1}
booster = xgb.train({"max_depth": 1, "verbosity": 0}, xgb.DMatrix(x, y), 1)
booster.save_model("in.json")
gradient = lgb.train(quiet, lgb.Dataset(x, y), 1)
gradient.save_model("in.lgb")
np.save("in.npy", x)
np.savetxt("in.csv", np.column_stack([y, x]), delimiter=",")
open("in.libsvm", "w").write("1 1:0.5\\n0 1:0.1\\n")
joblib.dump(LogisticRegression().fit(x, y), "in.joblib")
""",
    cases=[
        Case("fit", "LogisticRegression(C=0.3).fit(x, y)"),
        Case("pipeline", "make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y).score(x, y)"),
        Case("search", "GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}, cv=2).fit(x, y)"),
        Case("forest", "RandomForestClassifier(3, n_jobs=2).fit(x, y)"),
        Case("folds", "cross_val_score(LogisticRegression(), x, y, cv=2)"),
        Case(
            "own",
            """
            class Mine(ClassifierMixin, BaseEstimator):
                def __init__(self, depth=3, table=x):
                    self.depth, self.table = depth, table
                def fit(self, x, y):
                    self.inner = Ridge().fit(x, y)
                    return self
            Mine(depth=4).fit(x, y)
            """,
        ),
        Case(
            "failed",
            """
            for data in (['a'], x):
                try:
                    LogisticRegression().fit(data, y)
                except ValueError:
                    pass
            """,
        ),
        Case("loop", "for c in range(1, 300):\n    Ridge(alpha=c).fit(x[:3], y[:3])"),
        Case("thread", "t = threading.Thread(target=lambda: Ridge(alpha=5.0).fit(x, y)); t.start(); t.join()"),
        Case(
            "scored",
            """
            model = LogisticRegression().fit(np.load('in.npy'), y)
            joblib.dump(model, 'model.joblib')
            metrics.roc_auc_score(y, model.predict_proba(x)[:, 1])
            metrics.log_loss(y, model.predict_proba(x))
            metrics.confusion_matrix(y, model.predict(x))
            """,
            "in.npy",
            "model.joblib",
        ),
        Case("scored_twice", "metrics.accuracy_score(y, y); metrics.accuracy_score(y, 1 - y); metrics.f1_score(y, y)"),
        Case("array_score", "metrics.precision_score(y, y, average=None)"),
        Case(
            "as_before",
            """
            model = pickle.loads(pickle.dumps(clone(LogisticRegression(C=2.0)).fit(x, y)))
            assert model.C == 2.0
            assert list(inspect.signature(LogisticRegression.fit).parameters)[:3] == ['self', 'X', 'y']
            assert pickle.loads(pickle.dumps(metrics.f1_score)) is metrics.f1_score
            assert pickle.loads(pickle.dumps(pickle.dump)) is pickle.dump
            assert not hasattr(make_pipeline(StandardScaler()), 'score')
            """,
        ),
        Case(
            "xgb_train",
            """
            data, told = xgb.DMatrix(x, y), {}
            settings = {'eta': 0.2, 'verbosity': 0}
            xgb.train(settings, data, 2, evals=[(data, 'train')], evals_result=told, verbose_eval=False)
            """,
        ),
        Case("xgb_sklearn", "xgb.XGBClassifier(n_estimators=2, eta=0.2).fit(x, y)"),
        Case(
            "lgb_train",
            """
            data = lgb.Dataset(x, y)
            lgb.train(dict(quiet, metric='auc'), data, 2, valid_sets=[data], valid_names=['train'])
            """,
        ),
        Case("lgb_sklearn", "lgb.LGBMClassifier(n_estimators=2, verbosity=-1).fit(x, y)"),
        Case("dumped", "joblib.dump({'model': Ridge().fit(x, y), 'columns': ['a']}, 'o.joblib')", "", "o.joblib"),
        Case("dumped_scaler", "joblib.dump(StandardScaler().fit(x), 'o.joblib')", "", "o.joblib"),
        Case(
            "dumped_data",
            "joblib.dump([1], 'o.joblib'); pickle.dump({'a': x}, open('o.pkl', 'wb'))",
            "",
            "o.joblib o.pkl",
        ),
        Case("pickled", "pickle.dump(Ridge().fit(x, y), open('o.pkl', 'wb'))", "", "o.pkl"),
        Case("xgb_saved", "xgb.XGBClassifier(n_estimators=1).fit(x, y).save_model('o.json')", "", "o.json"),
        Case("lgb_saved", "lgb.train(quiet, lgb.Dataset(x, y), 1).save_model('o.txt')", "", "o.txt"),
        Case("joblib_again", "joblib.dump(joblib.load('in.joblib'), 'o.joblib')", "in.joblib", "o.joblib"),
        Case("pickle_model", "pickle.dump(LogisticRegression(), open('o.pkl', 'wb'))", "", "o.pkl"),
        Case("xgb_save", "booster.save_model('o.json')", "", "o.json"),
        Case("xgb_load", "xgb.Booster().load_model('in.json'); xgb.Booster(model_file='in.json')", "in.json"),
        Case("xgb_ubj", "m = xgb.XGBClassifier(n_estimators=1).fit(x, y); m.save_model('o.ubj')", "", "o.ubj"),
        Case("xgb_matrix", "xgb.DMatrix('in.libsvm?format=libsvm')", "in.libsvm"),
        Case("lgb_save", "gradient.save_model('o.txt')", "", "o.txt"),
        Case("lgb_load", "lgb.Booster(model_file='in.lgb')", "in.lgb"),
        Case("lgb_dataset", "lgb.Dataset('in.csv', params={'verbosity': -1}).construct()", "in.csv"),
        Case("lgb_binary", "lgb.Dataset(x, y, params={'verbosity': -1}).save_binary('o.bin')", "", "o.bin"),
    ],
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    folder = tmp_path_factory.mktemp("training") / "batch"
    return BATCH.finish(BATCH.start(folder), folder)


def kinds(one: Told) -> set[str]:
    """The classes whose parameters were told."""
    return {name.partition(".")[0] for name in one.story.params}


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_a_file_is_told_with_its_role(case: Case, told: dict[str, Told]) -> None:
    one = told[case.name]
    assert (one.reads, one.writes) == (case.reads, case.writes)


@pytest.mark.parametrize("case", BATCH.cases, ids=lambda case: case.name)
def test_the_job_is_not_disturbed(case: Case, told: dict[str, Told]) -> None:
    assert not told[case.name].error
    assert not told[case.name].story.troubles


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fit", {"LogisticRegression"}),
        ("pipeline", {"Pipeline"}),
        ("search", {"GridSearchCV"}),
        ("forest", {"RandomForestClassifier"}),
        ("folds", set()),
        ("own", {"Mine"}),
        ("failed", {"LogisticRegression"}),
        ("xgb_train", {"xgboost"}),
        ("xgb_sklearn", {"XGBClassifier"}),
        ("lgb_train", {"lightgbm"}),
        ("lgb_sklearn", {"LGBMClassifier"}),
    ],
)
def test_only_the_outermost_fit_is_told(name: str, expected: set[str], told: dict[str, Told]) -> None:
    assert kinds(told[name]) == expected


def test_a_model_is_told_with_what_it_was_set_to(told: dict[str, Told]) -> None:
    assert told["fit"].story.params["LogisticRegression.C"] == 0.3
    assert told["own"].story.params["Mine.depth"] == 4
    assert told["thread"].story.params["Ridge.alpha"] == 5.0
    assert told["search"].story.params["GridSearchCV.best_params_.C"] in (0.1, 1.0)
    assert told["xgb_train"].story.params["xgboost.eta"] == 0.2
    assert told["xgb_train"].story.params["xgboost.num_boost_round"] == 2
    assert told["xgb_sklearn"].story.params["XGBClassifier.eta"] == 0.2
    assert told["lgb_sklearn"].story.params["LGBMClassifier.n_estimators"] == 2


def test_a_search_by_hand_does_not_flood_the_journal(told: dict[str, Told]) -> None:
    assert sum(fact["fact"] == "params" for fact in told["loop"].facts) == 200


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pipeline", {"Pipeline.score": True}),
        ("search", {"GridSearchCV.best_score_": True}),
        ("scored", {"roc_auc_score": True, "log_loss": False}),
        ("scored_twice", {"f1_score": True}),
        ("array_score", {}),
        ("xgb_train", {"train-rmse": None}),
        ("lgb_train", {"train-auc": None}),
    ],
)
def test_a_score_is_told_where_it_is_the_only_one_of_its_name(
    name: str, expected: dict[str, bool | None], told: dict[str, Told]
) -> None:
    assert {one.name: one.higher_is_better for one in told[name].story.metrics} == expected


def test_a_score_is_of_the_only_model_and_on_the_only_input(told: dict[str, Told]) -> None:
    one = told["scored"]
    assert {metric.of for metric in one.story.metrics} == {f"{one.folder}/model.joblib"}
    assert {metric.on for metric in one.story.metrics} == {f"{one.folder}/in.npy"}


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("scored", "model.joblib", "sklearn.linear_model._logistic.LogisticRegression"),
        ("dumped", "o.joblib", "sklearn.linear_model._ridge.Ridge"),
        ("pickled", "o.pkl", "sklearn.linear_model._ridge.Ridge"),
        ("xgb_saved", "o.json", "xgboost.core.Booster"),
        ("lgb_saved", "o.txt", "lightgbm.basic.Booster"),
    ],
)
def test_a_file_with_a_model_is_a_model(name: str, path: str, kind: str, told: dict[str, Told]) -> None:
    [output] = told[name].story.paths.outputs()
    assert output.path == f"{told[name].folder}/{path}"
    assert output.model is not None
    assert [fact["class"] for fact in told[name].facts if fact["fact"] == "model"] == [kind]


@pytest.mark.parametrize("name", ["dumped_scaler", "dumped_data"])
def test_a_file_without_one_is_none(name: str, told: dict[str, Told]) -> None:
    assert [one.model for one in told[name].story.paths.outputs()] in ([None], [None, None])


@pytest.mark.slow
def test_fits_in_other_processes_are_within_the_one_that_started_them(tmp_path: Path) -> None:
    search = "GridSearchCV(LogisticRegression(), {'C': [0.1, 1.0]}, cv=2, n_jobs=2).fit(x, y)"
    batch = Batch([Case("search", search)], BATCH.prelude)
    assert kinds(batch.finish(batch.start(tmp_path / "batch"), tmp_path / "batch")["search"]) == {"GridSearchCV"}
