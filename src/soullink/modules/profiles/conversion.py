"""Between a profile and the plain data of its file, with sentences for what is wrong."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from soullink.kernel.ids import PersonId
from soullink.modules.profiles.api import (
    Answers,
    Attachment,
    Cell,
    InvalidProfileError,
    LookingFor,
    Profile,
    Wants,
    cell_at,
    cell_of_text,
)
from soullink.modules.profiles.document import (
    AnswersDocument,
    AttachmentDocument,
    LocationDocument,
    LookingForDocument,
    ProfileDocument,
    TraitsDocument,
    WantsDocument,
)
from soullink.modules.profiles.domain import age_complaint, clean_line, nearest, slug

_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): ProfileDocument,
    ("traits",): TraitsDocument,
    ("traits", "answers"): AnswersDocument,
    ("attachment",): AttachmentDocument,
    ("wants",): WantsDocument,
    ("location",): LocationDocument,
    ("looking_for",): LookingForDocument,
}

_WRONG_TYPES = {
    "string_type": "must be text (put it in quotes)",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "date_type": "must be a date such as 1994-03-21",
    "finite_number": "must be an ordinary number",
}


def from_document(document: Mapping[str, object], source: str, today: date) -> Profile:
    """Return the profile in `document`. Raises InvalidProfileError, which names `source`.

    Keys whose value is null count as not given. Without an id, the name makes one.
    """
    given = {key: value for key, value in document.items() if value is not None}
    name = given.get("name")
    if "id" not in given and isinstance(name, str) and clean_line(name):
        given["id"] = slug(clean_line(name))
        if not given["id"]:
            raise InvalidProfileError(
                f"{source}: 'name' has no letter to make an id from; add an 'id' such as ada."
            )
    elif "id" not in given:
        given["id"] = "unnamed"  # the missing or wrong name is what gets reported
    try:
        parsed = ProfileDocument.model_validate(given)
    except ValidationError as error:
        raise InvalidProfileError(f"{source}: {_sentence(error)}") from error
    complaint = age_complaint(parsed.age, parsed.birth_date, today)
    if complaint is not None:
        field, reason = complaint
        raise InvalidProfileError(f"{source}: '{field}' {reason}.")
    return _profile(parsed)


def to_document(profile: Profile) -> dict[str, object]:
    """Return `profile` as plain data in the order of the reference, unknown fields left out."""
    answers = profile.answers
    traits: dict[str, object] = {
        "answers": {"inventory": answers.inventory, "answers": list(answers.answers)}
        if answers is not None
        else None,
        "percentiles": dict(profile.percentiles),
        "levels": dict(profile.levels),
    }
    wants, attachment = profile.wants, profile.attachment
    document: dict[str, object] = {
        "id": str(profile.id),
        "name": profile.name,
        "language": profile.language,
        "birth_date": profile.birth_date.isoformat() if profile.birth_date else None,
        "age": profile.age,
        "sex": profile.sex,
        "pronouns": profile.pronouns,
        "city": profile.city,
        "occupation": profile.occupation,
        "languages": list(profile.languages),
        "traits": _without_unknown(traits),
        "attachment": _without_unknown(
            {"anxiety": attachment.anxiety, "avoidance": attachment.avoidance}
        ),
        "values": dict(profile.values),
        "interests": list(profile.interests),
        "essays": dict(profile.essays),
        "wants": _without_unknown(
            {"goal": wants.goal, "children": wants.children, "text": wants.text}
        ),
        "deal_breakers": list(profile.deal_breakers),
        "secrets": list(profile.secrets),
        "source_id": profile.source_id,
        "gender": list(profile.gender),
        "interested_in": list(profile.interested_in),
        "location": {"cell": str(profile.cell)} if profile.cell is not None else None,
        "has_children": profile.has_children,
        "smoking": profile.smoking,
        "drinking": profile.drinking,
        "religion": profile.religion,
        "looking_for": _looking_for(profile.looking_for),
    }
    return _without_unknown(document)


def _looking_for(wish: LookingFor) -> dict[str, object]:
    return _without_unknown(
        {
            "age_from": wish.age_from,
            "age_to": wish.age_to,
            "distance_km": wish.distance_km,
            "languages": list(wish.languages),
            "smoking": list(wish.smoking),
            "drinking": list(wish.drinking),
            "religions": list(wish.religions),
            "deal_breakers": list(wish.deal_breakers),
            "importance": dict(wish.importance),
        }
    )


def _cell(given: LocationDocument) -> Cell | None:
    """Return the cell; the coordinates end here."""
    if given.latitude is not None and given.longitude is not None:
        return cell_at(given.latitude, given.longitude)
    return None if given.cell is None else cell_of_text(given.cell)


def _without_unknown(document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if value not in (None, {}, [])}


def _profile(parsed: ProfileDocument) -> Profile:
    answers = parsed.traits.answers
    return Profile(
        id=PersonId(parsed.id),
        name=parsed.name,
        language=parsed.language,
        birth_date=parsed.birth_date,
        age=parsed.age,
        sex=parsed.sex,
        pronouns=parsed.pronouns,
        city=parsed.city,
        occupation=parsed.occupation,
        languages=tuple(parsed.languages),
        answers=Answers(answers.inventory, tuple(answers.answers)) if answers else None,
        percentiles=parsed.traits.percentiles,
        levels=parsed.traits.levels,
        attachment=Attachment(parsed.attachment.anxiety, parsed.attachment.avoidance),
        values=parsed.values,
        interests=tuple(parsed.interests),
        essays=parsed.essays,
        wants=Wants(parsed.wants.goal, parsed.wants.children, parsed.wants.text),
        deal_breakers=tuple(parsed.deal_breakers),
        secrets=tuple(parsed.secrets),
        source_id=parsed.source_id,
        gender=tuple(parsed.gender),
        interested_in=tuple(parsed.interested_in),
        cell=_cell(parsed.location),
        has_children=parsed.has_children,
        smoking=parsed.smoking,
        drinking=parsed.drinking,
        religion=parsed.religion,
        looking_for=_wishes(parsed.looking_for),
    )


def _wishes(parsed: LookingForDocument) -> LookingFor:
    return LookingFor(
        age_from=parsed.age_from,
        age_to=parsed.age_to,
        distance_km=parsed.distance_km,
        languages=tuple(parsed.languages),
        smoking=tuple(parsed.smoking),
        drinking=tuple(parsed.drinking),
        religions=tuple(parsed.religions),
        deal_breakers=tuple(parsed.deal_breakers),
        importance=parsed.importance,
    )


def _sentence(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    more = len(problems) - 1
    rest = f" ({more} more to correct)" if more else ""
    return f"{_problem(first)}{rest}."


def _problem(problem: Any) -> str:
    kind, place, context = problem["type"], problem["loc"], problem.get("ctx", {})
    field = f"'{_place(place)}'"
    given = repr(problem["input"])
    shown = given if len(given) <= 40 else given[:37] + "..."
    wording = {
        "extra_forbidden": lambda: _unknown_key(place),
        "invalid_key": lambda: f"the key {shown} must be text; put it in quotes",
        "missing": lambda: f"{field} is missing; add it",
        "value_error": lambda: f"{field} {context['error']}".rstrip("."),
        "literal_error": lambda: f"{field} must be {context['expected']}, not {shown}",
        "string_too_short": lambda: f"{field} is empty; write something or leave it out",
        "string_too_long": lambda: (
            f"{field} is longer than {context['max_length']:,} characters; shorten it"
        ),
        "too_long": lambda: f"{field} has more than {context['max_length']} entries; shorten it",
        "greater_than_equal": lambda: f"{field} must be at least {context['ge']:g}, not {shown}",
        "less_than_equal": lambda: f"{field} must be at most {context['le']:g}, not {shown}",
    }
    if kind in wording:
        return wording[kind]()
    return f"{field} {_WRONG_TYPES.get(kind, 'cannot be used')}, not {shown}"


def _place(place: tuple[str | int, ...]) -> str:
    text = ""
    for step in place:
        if step == "[key]":
            continue
        text += f" item {step + 1}" if isinstance(step, int) else f".{clean_line(step)[:60]}"
    return text.strip(".") or "the profile"


def _unknown_key(place: tuple[str | int, ...]) -> str:
    parent, key = tuple(str(step) for step in place[:-1]), str(place[-1])
    known = list(_MODELS[parent].model_fields)
    meant = nearest(key, known)
    hint = f"did you mean '{meant}'?" if meant else f"known are {', '.join(known)}"
    return f"unknown key '{_place(place)}'; {hint}"
