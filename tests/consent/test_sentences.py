"""Plain words, made from the very consent that is signed (SCREENS.md e)."""

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.consent.artefact import LANGUAGES, Artefact, block, dissent, sharing
from app.consent.codes import ACT_REASON, CATEGORY
from app.consent.reading import Form, UnreadableError, read_artefact
from app.consent.sentences import (
    Answer,
    facts,
    narrowing_words,
    preview,
    questions,
    sentences,
    texts,
    who,
)
from app.consent.terms import Category, Labels, narrowings
from tests.support.sharing import ALDER, ASKED, CAROL, RADIOLOGY, SIGNED_AT, SIGNING, signing, terms

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "consent"
IMAGE, CYTOLOGY = Category.IMAGE, Category.CYTOLOGY
CUT = terms(
    categories=frozenset({IMAGE, CYTOLOGY}), keep_open_days=7, made_from="2025-11-24", made_until="", ai_training=False
)


def test_the_preview_is_the_text_of_the_screen() -> None:
    assert preview(sharing(ASKED, SIGNING)) == (
        "Dr Carol Specimen of Alder Hospital asks to see some of your records.",
        "To treat you. For nothing else.",
        "Your CT and other images, laboratory results and cell samples.",
        "Only those made between 24 November 2024 and 24 November 2026.",
        "For 30 days, until 24 December 2026, 14:31.",
        "A separate question: may a computer program suggest a diagnosis from them?",
        "A separate question: may computer programs learn from them?",
    )
    assert preview(sharing(ASKED, SIGNING), "de") == (
        "Dr. Carol Specimen vom Alder Hospital bittet darum, einige Ihrer Unterlagen zu sehen.",
        "Um Sie zu behandeln. Für nichts anderes.",
        "Ihre CT- und anderen Bilder, Laborwerte und Zellproben.",
        "Nur solche, die zwischen dem 24. November 2024 und dem 24. November 2026 entstanden sind.",
        "Für 30 Tage, bis 24. Dezember 2026, 14:31 Uhr.",
        "Eine eigene Frage: Darf ein Computerprogramm daraus eine Diagnose vorschlagen?",
        "Eine eigene Frage: Dürfen Computerprogramme daraus lernen?",
    )


def test_the_sentence_is_the_text_of_the_screen() -> None:
    assert sentences(sharing(CUT, SIGNING)) == (
        (
            "Dr Carol Specimen of Alder Hospital may open your images and cell samples made since 24 November 2025, "
            "to treat you, until 1 December 2026, 14:31."
        ),
        "A computer may suggest a diagnosis from your cell samples; a doctor always decides.",
        "Computers may not learn from them.",
    )
    assert sentences(sharing(CUT, signing(language="de"))) == (
        (
            "Dr. Carol Specimen vom Alder Hospital darf Ihre Bilder und Zellproben, die seit dem 24. November 2025 "
            "entstanden sind, öffnen, um Sie zu behandeln, bis 1. Dezember 2026, 14:31 Uhr."
        ),
        (
            "Ein Computer darf aus Ihren Zellproben eine Diagnose vorschlagen; "
            "es entscheidet immer ein Arzt oder eine Ärztin."
        ),
        "Computer dürfen nicht daraus lernen.",
    )


PREVIEWS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"made_until": ""}, 3, "Only those made since 24 November 2024.",
     "Nur solche, die seit dem 24. November 2024 entstanden sind."),
    ({"made_from": ""}, 3, "Only those made until 24 November 2026.",
     "Nur solche, die bis zum 24. November 2026 entstanden sind."),
    ({"made_from": "", "made_until": ""}, 3, "From any time.", "Aus jeder Zeit."),
    ({"keep_open_days": 1}, 4, "For 1 day, until 25 November 2026, 14:31.",
     "Für 1 Tag, bis 25. November 2026, 14:31 Uhr."),
    ({"purpose": (ACT_REASON, "COC")}, 1, "To give a second opinion on your treatment. For nothing else.",
     "Um eine zweite Meinung zu Ihrer Behandlung zu geben. Für nichts anderes."),
    ({"purpose": (ACT_REASON, "HQUALIMP")}, 1, "To check how well people are treated. For nothing else.",
     "Um zu prüfen, wie gut behandelt wird. Für nichts anderes."),
    ({"purpose": (ACT_REASON, "HRESCH")}, 1, "For research. For nothing else.",
     "Für die Forschung. Für nichts anderes."),
    ({"purpose": (ACT_REASON, "CLINTRCH")}, 1, "For the research study CLINTRCH. For nothing else.",
     "Für die Forschungsstudie CLINTRCH. Für nichts anderes."),
    ({"purpose": ("https://x/projects", "TREAT")}, 1, "For the research study TREAT. For nothing else.",
     "Für die Forschungsstudie TREAT. Für nichts anderes."),
    ({"purpose": (ACT_REASON, "FRAUD")}, 1, "For the purpose FRAUD. For nothing else.",
     "Für den Zweck FRAUD. Für nichts anderes."),
    ({"categories": frozenset({Category.HEART})}, 2, "Your heart tests.", "Ihre Herzuntersuchungen."),
    ({"categories": frozenset(Category)}, 2,
     ("Your CT and other images, laboratory results, cell samples, letters and documents, heart tests, medicines, "
     "diagnoses and problems and visits and stays."),
     ("Ihre CT- und anderen Bilder, Laborwerte, Zellproben, Briefe und Dokumente, Herzuntersuchungen, Medikamente, "
     "Diagnosen und Beschwerden und Besuche und Aufenthalte.")),
    ({"grantee": RADIOLOGY}, 0, "The staff of Radiology at Alder Hospital asks to see some of your records.",
     "Das Personal von Radiology am Alder Hospital bittet darum, einige Ihrer Unterlagen zu sehen."),
    ({"grantee": ALDER}, 0, "The staff of Alder Hospital asks to see some of your records.",
     "Das Personal vom Alder Hospital bittet darum, einige Ihrer Unterlagen zu sehen."),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "line", "english", "german"), PREVIEWS)
def test_a_request_is_read_line_by_line(changes: dict[str, Any], line: int, english: str, german: str) -> None:
    artefact = sharing(terms(**changes), SIGNING)
    assert preview(artefact)[line] == english
    assert preview(artefact, "de")[line] == german


def test_what_was_not_asked_is_not_read() -> None:
    assert len(preview(sharing(terms(ai_inference=False, ai_training=False), SIGNING))) == 5
    assert preview(sharing(terms(ai_inference=False), SIGNING))[5:] == (
        "A separate question: may computer programs learn from them?",
    )


SENTENCES: list[tuple[dict[str, Any], int, str]] = [
    ({"made_from": "", "made_until": ""}, 0,
     ("Dr Carol Specimen of Alder Hospital may open your images, laboratory results and cell samples, to treat you, "
     "until 24 December 2026, 14:31.")),
    ({"made_from": ""}, 0,
     ("Dr Carol Specimen of Alder Hospital may open your images, laboratory results and cell samples made until "
     "24 November 2026, to treat you, until 24 December 2026, 14:31.")),
    ({}, 0,
     ("Dr Carol Specimen of Alder Hospital may open your images, laboratory results and cell samples made between "
     "24 November 2024 and 24 November 2026, to treat you, until 24 December 2026, 14:31.")),
    ({"ai_inference": False}, 1, "No computer may suggest a diagnosis from them."),
    ({"ai_training": True}, 2, "Alder Hospital may let computers learn from your cell samples."),
    ({"labels": Labels.NOT_MENTAL_HEALTH}, 3, "Everything about mental health stays closed."),
    ({"labels": Labels.NORMAL_ONLY}, 3, "Everything that is specially protected stays closed."),
    ({"labels": Labels.NORMAL_ONLY}, 4, "In an emergency it may be opened, and you are told."),
    ({"labels": Labels.NORMAL_ONLY, "emergency_opens": False}, 4, "It stays closed in an emergency too."),
    ({"labels": Labels.NOT_MENTAL_HEALTH, "emergency_opens": False}, 4, "It stays closed in an emergency too."),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "line", "said"), SENTENCES)
def test_everything_that_is_signed_is_said(changes: dict[str, Any], line: int, said: str) -> None:
    assert sentences(sharing(terms(**changes), SIGNING))[line] == said


def test_without_labels_nothing_is_said_of_them() -> None:
    assert len(sentences(sharing(ASKED, SIGNING))) == 3
    images = terms(categories=frozenset({IMAGE}), ai_inference=False, ai_training=False)
    assert sentences(sharing(images, SIGNING))[1:] == (
        "No computer may suggest a diagnosis from them.",
        "Computers may not learn from them.",
    )


def test_the_end_is_said_in_the_zone() -> None:
    assert sentences(sharing(CUT, signing(zone="+10:00")))[0].endswith("until 2 December 2026, 00:31.")
    assert sentences(sharing(CUT, signing(zone="-14:00", language="de")))[0].endswith(
        "bis 1. Dezember 2026, 00:31 Uhr."
    )


def test_blocks_and_dissents_are_said() -> None:
    assert sentences(block(CAROL, SIGNING, emergency_opens=True)) == (
        "Dr Carol Specimen of Alder Hospital may not open anything of yours at Birch Hospital.",
        "In an emergency it may be opened, and you are told.",
    )
    assert sentences(block(CAROL, SIGNING, emergency_opens=False), "de") == (
        "Dr. Carol Specimen vom Alder Hospital darf nichts von Ihnen öffnen, was bei Birch Hospital liegt.",
        "Es bleibt auch im Notfall geschlossen.",
    )
    assert sentences(dissent(SIGNING, emergency_opens=False)) == (
        "Nobody may open anything of yours at Birch Hospital to treat you, for payment or to run the hospital.",
        "It stays closed in an emergency too.",
    )
    assert sentences(dissent(SIGNING, emergency_opens=True))[1] == "In an emergency it may be opened, and you are told."


def test_the_four_facts() -> None:
    assert facts("en") == (
        "You see each time a record is opened, and why.",
        "You can stop it on any day, in a few seconds.",
        "If you say no, you are still treated.",
        "A copy that someone takes out of Assent cannot be called back.",
    )
    assert facts("de")[2] == "Wenn Sie Nein sagen, werden Sie trotzdem behandelt."


def unmixed(answers: list[Answer]) -> None:
    assert len(answers) == 3


def test_two_questions_made_from_the_chosen_terms() -> None:
    opened, stop = questions(sharing(CUT, SIGNING), unmixed)
    assert opened.text == "What may Dr Specimen open?"
    assert opened.answers == (
        Answer("My images and cell samples, until 1 December 2026, 14:31", is_right=True),
        Answer(
            "My laboratory results, letters and documents, heart tests, medicines, diagnoses and problems and visits "
            "and stays, and nothing else",
            is_right=False,
        ),
        Answer("Everything that any hospital has about me, for ever", is_right=False),
        Answer("I am not sure", is_right=False),
    )
    assert opened.again == sentences(sharing(CUT, SIGNING))[0] + " Please choose again."
    assert stop.text == "What can you do if you change your mind tomorrow?"
    assert stop.answers == (
        Answer('I can stop it at any time: "My consents", then "Stop"', is_right=True),
        Answer("Nothing. What I sign today cannot be changed", is_right=False),
        Answer("I must wait until 1 December 2026, 14:31", is_right=False),
        Answer("I am not sure", is_right=False),
    )
    assert stop.again == 'You can stop it at any time: "My consents", then "Stop". Please choose again.'


def test_the_questions_fit_other_grantees_and_all_categories() -> None:
    whole = sharing(terms(grantee=ALDER, categories=frozenset(Category)), signing(language="de"))
    opened, stop = questions(whole, unmixed)
    assert opened.text == "Was darf von Ihnen geöffnet werden?"
    assert opened.answers[1] == Answer("Gar nichts", is_right=False)
    assert stop.again.startswith("Sie können die Erlaubnis jederzeit beenden: „Meine Erlaubnisse“, dann „Beenden“.")
    assert (
        questions(sharing(ASKED, signing(language="de")), unmixed)[0].text == "Was darf Dr. Specimen von Ihnen öffnen?"
    )


def test_the_answers_are_mixed_and_unsure_stays_last() -> None:
    places = set()
    for seed in range(40):
        shuffle = Random(seed).shuffle  # noqa: S311
        for question in questions(sharing(CUT, SIGNING), shuffle):
            assert question.answers[-1].text == "I am not sure"
            assert [answer.is_right for answer in question.answers].count(True) == 1
            assert len({answer.text for answer in question.answers}) == 4
            places.add([answer.is_right for answer in question.answers].index(True))
    assert places == {0, 1, 2}


def test_only_a_sharing_is_asked_about_and_previewed() -> None:
    for artefact in (block(CAROL, SIGNING, emergency_opens=True), dissent(SIGNING, emergency_opens=True)):
        with pytest.raises(UnreadableError):
            preview(artefact)
        with pytest.raises(UnreadableError):
            questions(artefact, unmixed)


NARROWED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({}, {"categories": frozenset({IMAGE, CYTOLOGY})}, "You took out laboratory results",
     "Laborwerte haben Sie herausgenommen"),
    ({}, {"made_from": "2025-11-24"}, "from 24 November 2024 → from 24 November 2025",
     "ab 24. November 2024 → ab 24. November 2025"),
    ({"made_from": ""}, {"made_from": "2025-11-24"}, "from any time → from 24 November 2025",
     "aus jeder Zeit → ab 24. November 2025"),
    ({}, {"made_until": "2026-01-01"}, "until 24 November 2026 → until 1 January 2026",
     "bis 24. November 2026 → bis 1. Januar 2026"),
    ({"made_until": ""}, {"made_until": "2026-01-01"}, "without an end → until 1 January 2026",
     "ohne Ende → bis 1. Januar 2026"),
    ({}, {"keep_open_days": 7}, "30 days → 7 days", "30 Tage → 7 Tage"),
    ({}, {"keep_open_days": 1}, "30 days → 1 day", "30 Tage → 1 Tag"),
    ({"grantee": ALDER}, {"grantee": CAROL}, "The staff of Alder Hospital → Dr Carol Specimen of Alder Hospital",
     "Das Personal vom Alder Hospital → Dr. Carol Specimen vom Alder Hospital"),
    ({}, {"ai_inference": False}, "You said no: no computer suggests a diagnosis",
     "Sie haben Nein gesagt: Kein Computer schlägt eine Diagnose vor"),
    ({}, {"ai_training": False}, "You said no: computers do not learn from them",
     "Sie haben Nein gesagt: Computer lernen nicht daraus"),
    ({}, {"labels": Labels.NOT_MENTAL_HEALTH}, "You keep closed: Everything about mental health",
     "Sie lassen geschlossen: Alles zur seelischen Gesundheit"),
    ({}, {"emergency_opens": False}, "It stays closed in an emergency too", "Es bleibt auch im Notfall geschlossen"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "changes", "english", "german"), NARROWED)
def test_what_was_cut_is_said(asked: dict[str, Any], changes: dict[str, Any], english: str, german: str) -> None:
    (narrowing,) = narrowings(terms(**asked), terms(**asked).narrowed(**changes))
    assert narrowing_words(narrowing, "en") == english
    assert narrowing_words(narrowing, "de") == german


def test_names_are_written_as_the_language_does() -> None:
    english, german = texts("en"), texts("de")
    assert (english.name("Dr Carol Specimen"), german.name("Dr Carol Specimen")) == (
        "Dr Carol Specimen",
        "Dr. Carol Specimen",
    )
    assert (english.short_name("Dr Carol Specimen"), german.short_name("Dr Carol Specimen")) == (
        "Dr Specimen",
        "Dr. Specimen",
    )
    assert (german.name("Erin Example"), german.short_name("Erin Example")) == ("Erin Example", "Erin Example")
    assert (german.name("Dr"), german.short_name("Dr")) == ("Dr", "Dr")
    assert who(RADIOLOGY, "en") == "The staff of Radiology at Alder Hospital"


def test_days_and_moments() -> None:
    english = texts("en")
    months = [english.day(f"2026-{month:02}-0{1 + month % 9}").split()[1] for month in range(1, 13)]
    assert months[0] == "January"
    assert months[-1] == "December"
    assert len(set(months)) == 12
    assert english.moment(SIGNED_AT, "+00:00") == "24 November 2026, 14:31"
    assert english.moment(SIGNED_AT, "+09:30") == "25 November 2026, 00:01"
    assert english.moment(SIGNED_AT, "nowhere") == "24 November 2026, 14:31"
    assert (english.language, english.text_id) == ("en", "consent/1")


def test_both_languages_say_the_same_things() -> None:
    files = {language: json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES}
    english, german = files["en"], files["de"]
    assert list(english) == list(german)
    for key in english:
        fields = [set(re.findall(r"\{(\w+)\}", file[key])) for file in (english, german)]
        assert fields[0] == fields[1], key
        assert english[key].strip() or key == "made.all"
    assert english["text_id"] == german["text_id"] == "consent/1"
    assert all(len(file["months"].split()) == 12 for file in (english, german))
    with pytest.raises(KeyError):
        texts("fr")
    with pytest.raises(KeyError):
        texts("en").say("nothing")


ALL = [
    sharing(ASKED, SIGNING),
    sharing(CUT, signing(zone="+01:00", language="de", status="proposed", assisted_by="")),
    sharing(terms(grantee=RADIOLOGY), SIGNING),
    sharing(terms(grantee=ALDER, purpose=("https://x/projects", "heart-17")), SIGNING),
    sharing(ASKED, signing(representative="e" * 26, representative_until="2027-05-18")),
    sharing(ASKED, signing(representative="e" * 26)),
    *(
        sharing(terms(labels=labels, emergency_opens=opens), SIGNING)
        for labels in (Labels.NORMAL_ONLY, Labels.NOT_MENTAL_HEALTH)
        for opens in (True, False)
    ),
]


@pytest.mark.parametrize("artefact", ALL)
def test_a_sharing_is_read_back_as_it_was_meant(artefact: Artefact) -> None:
    signed = read_artefact(artefact)
    assert signed.form is Form.SHARING
    assert signed.terms is not None
    assert signed.person is None
    assert signed.emergency_opens is signed.terms.emergency_opens
    assert sharing(signed.terms, signed.signing) == artefact


def test_terms_and_circumstances_are_read_back() -> None:
    assert read_artefact(ALL[0]).terms == ASKED
    assert read_artefact(ALL[0]).signing == SIGNING
    for person in (CAROL, RADIOLOGY, ALDER):
        for opens in (True, False):
            signed = read_artefact(block(person, SIGNING, emergency_opens=opens))
            assert (signed.form, signed.person, signed.emergency_opens) == (Form.BLOCK, person, opens)
            assert signed.terms is None
    for opens in (True, False):
        signed = read_artefact(dissent(SIGNING, emergency_opens=opens))
        assert (signed.form, signed.person, signed.emergency_opens) == (Form.DISSENT, None, opens)


def edited(path: str, value: Any) -> Artefact:
    """Return a sharing in whose Consent one place holds something else."""
    consent = json.loads(ALL[0].consent)
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = consent
    for part in outer:
        place = place[part]
    place[last] = value
    return replace(ALL[0], consent=json.dumps(consent, separators=(",", ":"), sort_keys=True))


MORE_THAN_WORDS: list[tuple[str, Any]] = [
    ("provision.purpose", [{"system": ACT_REASON, "code": "TREAT"}, {"system": ACT_REASON, "code": "HMARKT"}]),
    ("provision.class", [{"system": CATEGORY, "code": "xray"}]),
    ("provision.class.0.system", "https://x"),
    ("provision.action", []),
    ("provision.actor.0.reference.display", 5),
    ("provision.period.end", "2036-12-24T14:30:59Z"),
    ("provision.provision", []),
    ("provision.provision.0.action", []),
    ("provision.type", "allow"),
    ("provision", []),
    ("provision.dataPeriod.start", "2024"),
    ("provision.dataPeriod.start", 2024),
    ("dateTime", "soon"),
    ("dateTime", "9999-12-31T00:00:00Z"),
    ("language", "en"),
    ("performer", []),
    ("patient", "alice"),
    ("organization.0.reference", "Organization/CedarMSP"),
    ("status", "on"),
]


@pytest.mark.parametrize(("path", "value"), MORE_THAN_WORDS)
def test_what_has_no_words_is_not_shown(path: str, value: Any) -> None:
    artefact = edited(path, value)
    if path != "status":
        with pytest.raises(UnreadableError):
            read_artefact(artefact)
        with pytest.raises(UnreadableError):
            sentences(artefact)
    else:
        assert read_artefact(artefact).signing.status == "on"


def test_an_envelope_that_differs_has_no_words() -> None:
    whole = ALL[0]
    for artefact in (
        replace(whole, consent=whole.consent + " "),
        replace(whole, consent="not json"),
        replace(whole, text_id="consent/2"),
        replace(whole, language="fr"),
        replace(whole, retention_days=90),
        replace(whole, context=replace(whole.context, ids={**whole.context.ids, "Practitioner/x": "x"})),
        replace(whole, context=replace(whole.context, resources=("{}",))),
    ):
        with pytest.raises(UnreadableError):
            read_artefact(artefact)
