"""The interest model as a JSON document: checked when it is read, digested when it is written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, get_args

import numpy as np

from soullink.kernel.canonical import digest
from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.interest.people import FloatArray, People
from soullink.modules.matching.domain.interest.terms import PAIR_KINDS, PERSON_KINDS, Side, Term

FORMAT: Final = 1
PLACES: Final = 6
"""Decimal places of every number."""


class InvalidInterestModelError(InvalidInputError):
    """An artifact of the interest model cannot be used; the message says why."""

    code = "invalid_interest_model"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a model. covariance: (1 + terms, 1 + terms), intercept first.

    actor_sd, partner_sd: how people differ beyond their answers, in log-odds.
    wave_sd: how evenings differ.
    """

    intercept: float
    terms: tuple[Term, ...]
    covariance: FloatArray
    actor_sd: float
    partner_sd: float
    wave_sd: float


def to_document(numbers: Numbers) -> dict[str, Any]:
    """Return the numbers as plain data, rounded to PLACES."""
    rows, columns = np.tril_indices(len(numbers.covariance))
    return {
        "intercept": round(numbers.intercept, PLACES),
        "actor_sd": round(numbers.actor_sd, PLACES),
        "partner_sd": round(numbers.partner_sd, PLACES),
        "wave_sd": round(numbers.wave_sd, PLACES),
        "terms": [_rounded(asdict(term)) for term in numbers.terms],
        "covariance": [round(float(one), PLACES) for one in numbers.covariance[rows, columns]],
    }


def sealed(numbers: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of an artifact: `numbers`, what is known `about` them, a digest."""
    content = {"format": FORMAT, **about, "numbers": dict(numbers)}
    return {**content, "digest": digest(content)}


def read(document: object, source: str) -> tuple[str, Numbers]:
    """Return version and numbers of an artifact. Raises InvalidInterestModelError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInterestModelError(f"{source} is no interest model of format {FORMAT}.")
    content = {key: value for key, value in document.items() if key != "digest"}
    try:
        found = digest(content)
    except ValueError as error:
        raise InvalidInterestModelError(f"{source} holds a number that is not finite.") from error
    if document.get("digest") != found:
        raise InvalidInterestModelError(
            f"{source} was changed after it was written: its digest does not fit."
        )
    try:
        return str(document["version"]), _numbers(document["numbers"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInterestModelError(
            f"{source} is incomplete: {type(error).__name__} at {error}."
        ) from error


def _numbers(document: Mapping[str, Any]) -> Numbers:
    terms = tuple(_term(one) for one in document["terms"])
    size = 1 + len(terms)
    covariance = np.zeros((size, size))
    rows, columns = np.tril_indices(size)
    covariance[rows, columns] = document["covariance"]
    covariance[columns, rows] = document["covariance"]
    return Numbers(
        intercept=float(document["intercept"]),
        terms=terms,
        covariance=covariance,
        actor_sd=_positive(document, "actor_sd"),
        partner_sd=_positive(document, "partner_sd"),
        wave_sd=_positive(document, "wave_sd"),
    )


def _positive(document: Mapping[str, Any], name: str) -> float:
    value = float(document[name])
    if not value > 0.0:
        raise ValueError(f"{name} must be above 0")
    return value


def _term(document: Mapping[str, Any]) -> Term:
    term = Term(**document)
    kinds = PAIR_KINDS if term.side == "pair" else PERSON_KINDS
    columns = {column.name for column in fields(People)}
    if term.side not in get_args(Side) or term.kind not in kinds or term.column not in columns:
        raise ValueError(f"the term {term.name}")
    if not term.scale > 0.0 or not term.low <= term.high:
        raise ValueError(f"the range of the term {term.name}")
    return term


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: round(value, PLACES) if isinstance(value, float) else value
        for key, value in values.items()
    }
