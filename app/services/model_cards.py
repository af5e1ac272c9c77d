"""A model's card: the 31 source attributes in nine groups that 45 CFR 170.315(b)(11)(iv)(B) (HTI-1) asks for.

What is not known says so; a card never stays silent about an attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

from app.services.models import ModelStatus

UNKNOWN: Final = "Unknown"


@dataclass(frozen=True, slots=True)
class CardGroup:
    """One group of attributes.

    Attributes:
        title: of the group.
        attributes: name and value of each.
    """

    title: str
    attributes: tuple[tuple[str, str], ...]


def card_groups(card: Mapping[str, Any], model_hash: str, status: ModelStatus) -> tuple[CardGroup, ...]:
    """Return the card in groups.

    Args:
        card: of a verified model.
        model_hash: of its manifest.
        status: what the ledger says of it.
    """
    return (
        _details(card, model_hash),
        _purpose(card),
        _out_of_scope(card),
        _development(card),
        _fairness(),
        _external(),
        _performance(card),
        _maintenance(status),
        CardGroup(
            "Updates",
            (
                ("How and how often the model is updated", "A new version is a new hash and needs new votes"),
                ("How often performance is corrected", UNKNOWN),
            ),
        ),
    )


def card_xml(card: Mapping[str, Any], groups: tuple[CardGroup, ...]) -> bytes:
    """Return the card as XML, UTF-8: one ``attribute`` per line of the card."""
    root = ET.Element("modelCard", {"name": str(card["name"]), "version": str(card["version"])})
    for group in groups:
        element = ET.SubElement(root, "group", {"title": group.title})
        for name, value in group.attributes:
            ET.SubElement(element, "attribute", {"name": name}).text = value
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _details(card: Mapping[str, Any], model_hash: str) -> CardGroup:
    return CardGroup(
        "Details and output",
        (
            (
                "Developer and contact",
                f"The authors of this program; {card['name']} {card['version']}, {_spaced(model_hash)}",
            ),
            ("Funding", UNKNOWN),
            ("Output", f"Says {card['says']}: a calibrated probability, or that it is uncertain, or nothing"),
            ("Kind of output", f"Classification; {card['method']}"),
        ),
    )


def _spaced(model_hash: str) -> str:
    """Write a hash in groups, so that it can be read and breaks into lines."""
    return " ".join(model_hash[start : start + 8] for start in range(0, len(model_hash), 8))


def _purpose(card: Mapping[str, Any]) -> CardGroup:
    return CardGroup(
        "Purpose",
        (
            ("Intended use", f"A second look at a {card['reads']} record"),
            ("Intended patients", "Adults with a breast fine needle aspirate"),
            ("Intended users", "Cytologists and physicians who read such records themselves"),
            ("Role in the decision", "Informs. A person decides and records the verdict"),
        ),
    )


def _out_of_scope(card: Mapping[str, Any]) -> CardGroup:
    margin = f"{card['margin']:.0%}"
    return CardGroup(
        "Not to be used for",
        (
            ("Tasks and situations", str(card["not_for"]).capitalize()),
            ("Known limits", f"Values more than {margin} of the range beyond the training cases are declined"),
        ),
    )


def _development(card: Mapping[str, Any]) -> CardGroup:
    training = card["training"]
    cases = f"{training['cases']} cases, {training['malignant']} malignant"
    lacking = ", ".join(training["unknown"])
    return CardGroup(
        "Development and inputs",
        (
            ("Training cases", f"{training['source']}; {cases}"),
            ("Personal features as inputs", "None. Only the measurements of cell nuclei"),
            ("Whom the training cases represent", f"{UNKNOWN}: {lacking} were not kept"),
            ("How they fit the place of use", UNKNOWN),
        ),
    )


def _fairness() -> CardGroup:
    return CardGroup(
        "Fairness in development",
        (
            ("Approach", f"{UNKNOWN}: the training data names no groups"),
            ("How bias is reduced", "Each class has its own limit, so that a whole class is not missed"),
        ),
    )


def _external() -> CardGroup:
    names = ("Data and setting", "Who tested", "Whom the cases represent", "How it was tested")
    return CardGroup("External validation", tuple((name, f"{UNKNOWN}: there was none") for name in names))


def _performance(card: Mapping[str, Any]) -> CardGroup:
    measured = card["evaluation"]
    validity = (
        f"AUC {measured['auc']:.3f}, sensitivity {measured['sensitivity']:.1%}, "
        f"specificity {measured['specificity']:.1%}, Brier score {measured['brier']:.3f} ({measured['how']})"
    )
    return CardGroup(
        "Measured performance",
        (
            ("Validity in data of the same source", validity),
            ("Fairness in data of the same source", UNKNOWN),
            ("Validity in external data", UNKNOWN),
            ("Fairness in external data", UNKNOWN),
            ("Effect on outcomes", UNKNOWN),
        ),
    )


def _maintenance(status: ModelStatus) -> CardGroup:
    approved = ", ".join(status.approved_by) or "no hospital"
    return CardGroup(
        "Maintenance and use",
        (
            ("How validity is watched", f"Verdicts are counted on the ledger. Approved by {approved}"),
            ("Validity in local data", UNKNOWN),
            ("How fairness is watched", UNKNOWN),
            ("Fairness in local data", UNKNOWN),
        ),
    )
