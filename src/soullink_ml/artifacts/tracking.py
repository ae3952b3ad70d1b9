"""Logs a training run to an MLflow tracking store; the extra `mlflow`."""

import os
from collections.abc import Mapping
from typing import Any

from soullink.kernel.errors import UnavailableError


def log(document: Mapping[str, Any], uri: str) -> str:
    """Log provenance, metrics and the artifact itself; return the run's id.

    Raises UnavailableError where MLflow is not installed or the store does not answer.
    """
    try:
        import mlflow  # noqa: PLC0415  (heavy, optional)
        from mlflow.exceptions import MlflowException  # noqa: PLC0415
    except ImportError as error:
        raise UnavailableError(
            "--mlflow needs MLflow: install the extra soullink[mlflow]."
        ) from error
    # A plain file store must be allowed by name since MLflow 3.
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    made = document["provenance"]
    try:
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("soullink-interest")
        with mlflow.start_run(run_name=str(document["version"])) as run:
            mlflow.log_params({key: str(value)[:500] for key, value in made.items()})
            for row in document["metrics"]:
                name = f"{row['target']}.{row['features']}".replace("+", " with ")
                for key in ("auc", "log_loss", "base_log_loss", "calibration_error"):
                    mlflow.log_metric(f"{name}.{key}", row[key])
            mlflow.log_dict(dict(document), "interest.json")
            return str(run.info.run_id)
    except (MlflowException, OSError) as error:
        first = str(error).partition("\n")[0]
        raise UnavailableError(f"The MLflow store {uri} does not work: {first}") from error
