"""Artifacts: the same bytes twice, kept by version, used by a pointer, rolled back, reported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soullink.kernel.errors import ConflictError, InvalidInputError, UnavailableError
from soullink.modules.matching.domain.interest import artifact
from soullink.modules.matching.domain.interest.model import InterestModel
from soullink_ml.artifacts import building, tracking
from soullink_ml.artifacts.card import card
from soullink_ml.artifacts.store import ArtifactNotFoundError, Artifacts
from soullink_ml.datasets.moments import MOMENTS, Moment
from soullink_ml.datasets.speed_dates import read
from soullink_ml.training import prior
from tests.soullink_ml.interest import made_up


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return building.build(made_up.dates(), "made-up.csv", seed=3)


def _other(document: dict[str, Any], version: str) -> dict[str, Any]:
    content = {key: value for key, value in document.items() if key not in {"digest", "numbers"}}
    return artifact.sealed(document["numbers"], content | {"version": version})


def test_training_twice_gives_the_same_bytes(document: dict[str, Any]) -> None:
    assert building.build(made_up.dates(), "made-up.csv", seed=3) == document
    json.dumps(document, allow_nan=False)


def test_another_seed_or_file_is_another_version(document: dict[str, Any]) -> None:
    assert building.build(made_up.dates(), "made-up.csv", seed=4)["version"] != document["version"]


def test_an_artifact_says_where_it_comes_from_and_what_it_reads_when(
    document: dict[str, Any],
) -> None:
    made = document["provenance"]
    assert made["decisions"] == len(made_up.rows())
    assert made["seed"] == 3
    assert len(made["code_digest"]) == 64
    for feature in document["features"]:
        for column in feature["columns_of_file"]:
            before = {Moment.SIGN_UP, Moment.PLAN}
            later = before | {Moment.DATE} if "history" in feature["name"] else before
            assert MOMENTS[column] in later
    stages = {(row["target"], row["features"]) for row in document["metrics"]}
    assert len(stages) == 4
    for row in document["metrics"]:
        assert row["auc_low"] <= row["auc"] <= row["auc_high"]


def test_an_artifact_scores_what_was_fitted(document: dict[str, Any]) -> None:
    dates = made_up.dates()
    people = prior.people_of(dates)
    sides = people.take(dates.decider), people.take(dates.about)
    read_back = InterestModel.from_document(document, "artifact")
    fitted = InterestModel("", prior.train(dates).numbers)
    np.testing.assert_allclose(read_back.logit(*sides), fitted.logit(*sides), atol=1e-4)


def test_a_version_is_kept_once_and_used_only_by_the_pointer(
    document: dict[str, Any], tmp_path: Path
) -> None:
    store = Artifacts(tmp_path / "models")
    assert store.versions() == []
    path = store.add(document)
    assert store.add(document) == path
    assert store.versions() == [document["version"]]
    assert store.pointer().active is None
    with pytest.raises(ArtifactNotFoundError, match="in use"):
        store.get()
    store.activate(document["version"])
    assert store.get() == document
    assert InterestModel.load(path).version == document["version"]
    assert not list(tmp_path.rglob("*.draft"))


def test_a_version_never_changes(document: dict[str, Any], tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    store.add(document)
    content = {k: v for k, v in document.items() if k not in {"digest", "numbers"}}
    other = artifact.sealed({**document["numbers"], "intercept": 0.1}, content)
    with pytest.raises(ConflictError, match="another artifact"):
        store.add(other)


def test_rolling_back_goes_one_further_each_time(document: dict[str, Any], tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    for version in ("1-a", "1-b", "1-c"):
        store.add(_other(document, version))
        store.activate(version)
    assert store.activate("1-c").before == ("1-a", "1-b")
    assert store.rollback().active == "1-b"
    assert store.rollback().active == "1-a"
    with pytest.raises(ArtifactNotFoundError, match="no version to go back to"):
        store.rollback()
    store.activate("1-b")
    store.activate("1-c")
    assert store.rollback("1-a").active == "1-a"
    assert store.versions() == ["1-a", "1-b", "1-c"]


def test_going_nowhere_is_refused(document: dict[str, Any], tmp_path: Path) -> None:
    store = Artifacts(tmp_path)
    store.add(document)
    store.activate(document["version"])
    store.add(_other(document, "1-b"))
    store.activate("1-b")
    with pytest.raises(ArtifactNotFoundError, match="was not in use before"):
        store.rollback("1-z")
    with pytest.raises(ArtifactNotFoundError, match="holds no version"):
        store.activate("1-z")
    for name in ("../1-b", "", "a/b"):
        with pytest.raises(ArtifactNotFoundError):
            store.activate(name)
    (tmp_path / "active.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="is broken"):
        store.pointer()


def test_the_card_quotes_the_artifact(document: dict[str, Any]) -> None:
    text = card(document)
    assert document["digest"] in text
    assert document["provenance"]["data_digest"] in text
    for row in document["metrics"]:
        assert f"{row['auc']:.3f} ({row['auc_low']:.3f} to {row['auc_high']:.3f})" in text
    for term in document["numbers"]["terms"]:
        assert f"| {term['name']} | {term['coefficient']:+.3f} |" in text
    assert "Race" in text


def test_mlflow_is_asked_for_in_a_sentence_where_it_is_missing(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    with pytest.raises(UnavailableError, match="the extra"):
        tracking.log(document, "sqlite:///nowhere.db")


def test_a_run_is_logged_where_mlflow_is_installed(
    document: dict[str, Any], tmp_path: Path
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    uri = (tmp_path / "runs").as_uri()
    run = tracking.log(document, uri)
    logged = mlflow.get_run(run).data
    assert logged.params["data_digest"] == document["provenance"]["data_digest"]
    assert len(logged.metrics) == 4 * len(document["metrics"])


def test_the_shipped_prior_is_what_the_real_dates_give(data_samples: Path) -> None:
    dates = read(data_samples / "speed_dating" / "dates.csv")
    shipped, found = InterestModel.shipped().numbers, prior.train(dates).numbers
    assert [term.name for term in shipped.terms] == [term.name for term in found.terms]
    np.testing.assert_allclose(
        [term.coefficient for term in shipped.terms],
        [term.coefficient for term in found.terms],
        atol=1e-5,
    )
    assert shipped.actor_sd == pytest.approx(found.actor_sd, abs=1e-5)
    assert shipped.partner_sd == pytest.approx(found.partner_sd, abs=1e-5)
