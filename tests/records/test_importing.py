"""Import: what becomes a record, its category, labels and dates (PROTOCOL.md C1, A40, CASES.md 8, 9, 12)."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from app.records import inspect as inspecting
from app.records.description import (
    CONFIDENTIALITY_SYSTEM,
    SENSITIVITY_SYSTEM,
    SERVICE_SYSTEM,
    Category,
    ConfidentialityRules,
    Person,
    level_of,
    plain,
)
from app.records.imported import ImportRecord
from app.records.importing import Importer
from app.records.jsontext import Number
from app.records.phantom import LINES, ct_series, cytology_csv, document_pdf, fhir_bundle
from app.records.reader import ReaderProcess, ReaderSession, Reply
from app.records.table import CYTOLOGY_COLUMNS
from app.records.views import open_chart, open_document, open_table
from tests.support import hostile
from tests.support.hostile import bundle, resource
from tests.support.records import ALMA, element, identified, part10, picture
from tests.support.shared import shared_data

N, R, V = (f"{CONFIDENTIALITY_SYSTEM}|{letter}" for letter in "NRV")
PSY = f"{SENSITIVITY_SYSTEM}|PSY"


def records(importer: Importer, content: bytes, name: str = "a.json", **more: Any) -> tuple[ImportRecord, ...]:
    taken = importer.read_bytes([(name, content)], **more)
    assert taken.refused == ()
    return taken.records


def labelled(*codes: tuple[str, str], **content: Any) -> dict[str, Any]:
    security = [{"system": system, "code": code} for system, code in codes]
    return resource(meta={"security": security}, **content)


# FHIR


def test_a_bundle_is_split_by_encounter_day_category_and_labels(importer: Importer) -> None:
    visit = {"reference": "Encounter/e1"}
    made = records(
        importer,
        bundle(
            resource("Patient", id="p1", name=[{"family": "Fictive", "given": ["Alma"]}], birthDate="1969-04-05"),
            resource("Encounter", id="e1", status="finished", period={"start": "2026-11-10", "end": "2026-11-12"}),
            resource(id="1", encounter=visit),
            resource(id="2", encounter=visit),
            labelled((SENSITIVITY_SYSTEM, "PSY"), id="3", encounter=visit),
            resource(id="4"),
            resource(id="5", effectiveDateTime="2026-11-11T23:30:00-05:00"),
            resource("Condition", id="c1", encounter=visit, recordedDate="2026-11-10"),
        ),
    )
    found = {(record.category.value, record.references, record.dates, record.level) for record in made}
    assert found == {
        ("encounter", ("Encounter/e1",), ("2026-11-10", "2026-11-12"), "N"),
        ("laboratory", ("Observation/1", "Observation/2"), ("2026-11-10",), "N"),
        ("laboratory", ("Observation/3",), ("2026-11-10",), "R"),
        ("laboratory", ("Observation/4",), ("2026-11-10",), "N"),
        ("laboratory", ("Observation/5",), ("2026-11-11T23:30:00-05:00",), "N"),
        ("problem", ("Condition/c1",), ("2026-11-10",), "N"),
    }
    assert {record.person.name for record in made} == {"Alma Fictive"}
    assert all(record.related == ("Encounter/e1",) for record in made if "Encounter/e1" in record.related)
    assert sum("Encounter/e1" in record.related for record in made) == 4


def test_a_record_holds_the_raw_bytes_of_its_entries_and_of_what_they_name(importer: Importer) -> None:
    raw = (
        b'{"resourceType":"Bundle","type":"collection","entry":[\n'
        b'  {"fullUrl":"urn:uuid:p", "resource":{"resourceType":"Patient","id":"p",'
        b'"name":[{"text":"Z\xc3\xbcrich \xe2\x82\xac"}]}},\n'
        b'  {"fullUrl":"urn:uuid:d", "resource":{"resourceType":"Practitioner","id":"d"}},\n'
        b'  {"fullUrl":"urn:uuid:x", "resource":{"resourceType":"Practitioner","id":"x"}},\n'
        b'  {"resource":{"resourceType":"Observation","id":"o","status":"final","code":{"text":"A"},'
        b'"performer":[{"reference":"urn:uuid:d"}],"subject":{"reference":"urn:uuid:p"},"valueQuantity":{"value":19.00}}},\n'
        b'  {"resource":{"resourceType":"Condition","id":"c","code":{"text":"B"},'
        b'"subject":{"reference":"urn:uuid:p"}}}\n]}'
    )
    laboratory, problem = records(importer, raw)
    entries = raw.split(b",\n  ")
    assert laboratory.objects[0].data == (
        b'{"resourceType":"Bundle","type":"collection","entry":['
        + entries[0].split(b"[\n  ")[1]
        + b","
        + entries[1]
        + b","
        + entries[3]
        + b"]}"
    )
    assert b'"value":19.00' in laboratory.objects[0].data
    assert b'"id":"x"' not in laboratory.objects[0].data
    assert b'"id":"d"' not in problem.objects[0].data
    assert laboratory.authors == ("Practitioner/d",)
    assert laboratory.person.name == "Zürich €"


def test_a_single_resource_is_kept_byte_by_byte(importer: Importer) -> None:
    raw = b' {"resourceType" : "Observation","status":"final","code":{"text":"A"},"valueInteger":7 } \n'
    (record,) = records(importer, raw)
    assert record.objects[0].data == raw
    assert record.objects[0].sha256 == hashlib.sha256(raw).hexdigest()
    assert record.dates == ()


@pytest.mark.parametrize(
    ("content", "category", "level"),
    [
        (resource("DocumentReference", status="current"), "document", "R"),
        (resource("Consent", status="active"), "document", "R"),
        (resource("ImagingStudy", status="available"), "image", "N"),
        (resource("MedicationRequest", status="active"), "medication", "N"),
        (resource("AllergyIntolerance"), "problem", "N"),
        (resource("Procedure", status="completed"), "encounter", "N"),
        (resource(category=[{"coding": [{"code": "vital-signs"}]}]), "encounter", "N"),
        (
            resource(
                "DiagnosticReport", status="final", category=[{"coding": [{"system": SERVICE_SYSTEM, "code": "LAB"}]}]
            ),
            "laboratory",
            "N",
        ),
        (
            resource(
                "DiagnosticReport", status="final", category=[{"coding": [{"system": SERVICE_SYSTEM, "code": "RAD"}]}]
            ),
            "document",
            "R",
        ),
        (
            resource(
                "DiagnosticReport", status="final", category=[{"coding": [{"system": SERVICE_SYSTEM, "code": "CP"}]}]
            ),
            "cytology",
            "N",
        ),
        (
            resource(
                "DiagnosticReport", status="final", category=[{"coding": [{"system": SERVICE_SYSTEM, "code": "EC"}]}]
            ),
            "heart",
            "N",
        ),
        (resource("DiagnosticReport", status="final", result=[{"reference": "Observation/1"}]), "laboratory", "N"),
        (
            resource(
                "DiagnosticReport", status="final", code={"coding": [{"system": "http://loinc.org", "code": "47527-7"}]}
            ),
            "cytology",
            "N",
        ),
        (labelled((CONFIDENTIALITY_SYSTEM, "V")), "laboratory", "V"),
        (labelled((CONFIDENTIALITY_SYSTEM, "L")), "laboratory", "L"),
        (labelled((CONFIDENTIALITY_SYSTEM, "secret")), "laboratory", "V"),
        (labelled((SENSITIVITY_SYSTEM, "HIV")), "laboratory", "R"),
        (labelled((SENSITIVITY_SYSTEM, "HIV"), (CONFIDENTIALITY_SYSTEM, "N")), "laboratory", "R"),
        (labelled((CONFIDENTIALITY_SYSTEM, "N")) | {"resourceType": "Composition", "status": "final"}, "document", "N"),
        (labelled(("http://example.org/other", "X")), "laboratory", "N"),
    ],
)
def test_category_and_default_label(importer: Importer, content: dict[str, Any], category: str, level: str) -> None:
    (record,) = records(importer, json.dumps(content).encode())
    assert (record.category.value, record.level) == (category, level)
    assert record.classes[0] == f"https://assent.example.org/fhir/CodeSystem/category|{category}"
    assert f"http://hl7.org/fhir/resource-types|{content['resourceType']}" in record.classes


def test_the_hospitals_own_list_raises_a_label(reader: ReaderProcess) -> None:
    rules = ConfidentialityRules({"http://loinc.org|7018-9": (PSY,)})
    coded = resource(code={"coding": [{"system": "http://loinc.org", "code": "7018-9"}]})
    (record,) = records(Importer(reader, rules), bundle(coded))
    assert (record.level, PSY in record.labels) == ("R", True)
    (record,) = records(Importer(reader), bundle(coded))
    assert record.level == "N"


def test_levels_as_the_decision_takes_them() -> None:
    assert [
        level_of(labels) for labels in ((), (N,), (N, V), (R, N), (PSY,), (V, PSY), (f"{CONFIDENTIALITY_SYSTEM}|U",))
    ] == [
        *"NNVRRV",
        "U",
    ]


def test_case_8_numbers_keep_their_precision(reader: ReaderProcess, importer: Importer) -> None:
    digits = ("19", "19.0", "0.00", "1.2E+2")
    entries = ",".join(
        f'{{"resource":{{"resourceType":"Observation","id":"{index}","status":"final","code":{{"text":"A"}},'
        f'"effectiveDateTime":"2026-11-10","valueQuantity":{{"value":{text}}}}}}}'
        for index, text in enumerate(digits)
    )
    raw = f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'.encode()
    (record,) = records(importer, raw)
    assert record.objects[0].data == raw
    assert [row.value for row in open_chart(reader, record.objects[0].data).results] == ["19", "19.0", "0.00", "120"]
    assert [row.number for row in open_chart(reader, raw).results] == [19, 19, 0, 120]
    assert Number("-1.50e-2").shown() == "-0.0150"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "UTC"])
def test_case_9_days_are_never_shifted(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with ReaderProcess() as reader:
            taken = Importer(reader).read_bytes(
                [
                    (
                        "a.json",
                        bundle(resource("Patient", birthDate="2012-02-19"), resource(effectiveDateTime="2012-02-19")),
                    ),
                    ("a.dcm", part10(identified(StudyDate="20120219") + picture(bytes(8), 2, 2))),
                    ("a.pdf", document_pdf(ALMA, "2012-02-19")),
                ]
            )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [record.dates for record in taken.records] == [("2012-02-19",)] * 3
    assert taken.records[1].person.birth_date == "2012-02-19"


def test_all_public_fhir_files_are_read(importer: Importer, reader: ReaderProcess) -> None:
    taken = importer.read_files([shared_data("data/fhir"), shared_data("data/synthea")])
    assert taken.refused == ()
    assert len({path for record in taken.records for path in record.paths}) == 28
    synthea = [record for record in taken.records if "synthea" in record.paths[0]]
    assert len({record.person.name for record in synthea}) == 5
    whole = [(path, path.read_bytes()) for path in sorted(shared_data("data/synthea").iterdir())]
    for path, raw in whole:
        parts = [record for record in synthea if record.paths == (str(path),)]
        named = [name for record in parts for name in record.references]
        kinds = [entry["resource"]["resourceType"] for entry in json.loads(raw)["entry"]]
        assert (
            len(named)
            == len(set(named))
            == sum(kind not in ("Patient", "Practitioner", "Organization") for kind in kinds)
        )
        opened = open_chart(reader, parts[0].objects[0].data)
        assert any(
            (opened.problems, opened.medication, opened.results, opened.encounters, opened.documents, opened.others)
        )


# DICOM


def test_a_study_is_one_record_in_display_order(importer: Importer) -> None:
    slices = list(ct_series(ALMA, "2026-11-10", slices=5))
    named = [(f"{number}.dcm", slices[number]) for number in (3, 0, 4, 1, 2)]
    (record,) = importer.read_bytes(named).records
    assert [item.name_hint for item in record.objects] == ["0.dcm", "1.dcm", "2.dcm", "3.dcm", "4.dcm"]
    assert [item.data for item in record.objects] == slices
    assert (record.display, record.dates, record.level, record.person) == ("CT chest", ("2026-11-10",), "N", ALMA)
    assert f"{SERVICE_SYSTEM}|CT" in record.classes
    assert record.authors == ()
    assert all(item.pixels == (len(item.data) - 131072, 131072) for item in record.objects)


def test_two_studies_are_two_records_and_series_stay_together(importer: Importer) -> None:
    def instance(study: str, series: str, number: str) -> bytes:
        names = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": f"{study}.{series}.{number}"}
        return part10(identified(**names) + picture(bytes(8), 2, 2))

    named = [(f"{s}{r}{n}", instance(f"1.{s}", f"2.{s}.{r}", f"{n}")) for n in (1, 2) for s in (1, 2) for r in (1, 2)]
    made = importer.read_bytes(named).records
    assert [[item.name_hint for item in record.objects] for record in made] == [
        ["111", "112", "121", "122"],
        ["211", "212", "221", "222"],
    ]


def test_a_structured_report_is_a_document_beside_images_it_is_not(importer: Importer) -> None:
    report = part10(identified(Modality="SR", SOPInstanceUID="9.1"))
    image = part10(identified(SOPInstanceUID="9.2") + picture(bytes(8), 2, 2))
    (alone,) = importer.read_bytes([("r.dcm", report)]).records
    assert (alone.category, alone.level) == (Category.DOCUMENT, "R")
    (both,) = importer.read_bytes([("r.dcm", report), ("i.dcm", image)]).records
    assert (both.category, both.level, len(both.objects)) == (Category.IMAGE, "R", 2)
    (heart,) = importer.read_bytes([("e.dcm", part10(identified(Modality="ECG")))]).records
    assert heart.category is Category.HEART


def test_dates_that_are_none_stay_unknown(importer: Importer) -> None:
    for day in ("", "20260230", "yesterday"):
        (record,) = importer.read_bytes(
            [("a.dcm", part10(identified(StudyDate=day) + picture(bytes(8), 2, 2)))]
        ).records
        assert record.dates == ()


def test_a_folder_of_real_files_is_taken(importer: Importer) -> None:
    taken = importer.read_files([shared_data("data/dicom")])
    (twin,) = taken.refused  # the same SOP instance as emri_small.dcm, in other bytes
    assert Path(twin.path).name == "emri_small_big_endian.dcm"
    assert sum(len(record.objects) for record in taken.records) == 9
    assert {record.category.value for record in taken.records} == {"image"}
    (with_report,) = [record for record in taken.records if any("sr_document" in path for path in record.paths)]
    assert (with_report.level, len(with_report.objects)) == ("R", 3)


def test_large_files_are_read_where_they_lie(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.records import importing  # noqa: PLC0415

    monkeypatch.setattr(importing, "_COPY", 10)
    (tmp_path / "a.dcm").write_bytes(hostile.image())
    (tmp_path / "b.json").write_bytes(bundle(resource()))
    taken = importer.read_files([tmp_path])
    assert taken.refused == ()
    assert [record.objects[0].data for record in taken.records] == [hostile.image(), bundle(resource())]
    real = ReaderSession.ask

    def swap(self: ReaderSession, *arguments: Any) -> Reply:
        status = (tmp_path / "b.json").stat()
        reply = real(self, *arguments)
        (tmp_path / "b.json").write_bytes(bundle(resource()).replace(b"Glucose", b"Gl_cose"))
        os.utime(tmp_path / "b.json", ns=(status.st_mtime_ns, status.st_mtime_ns))
        return reply

    monkeypatch.setattr(ReaderSession, "ask", swap)
    (found,) = importer.read_files([tmp_path / "b.json"]).findings
    assert "It changed while it was read" in found.reason


def test_a_folder_that_cannot_be_listed_is_named(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    (found,) = importer.read_files([tmp_path]).findings
    assert found.reason == "It cannot be read (Permission denied)."


def test_an_image_restricted_by_its_own_words_is_restricted(importer: Importer) -> None:
    words = element(0x0040, 0x3001, "LO", b"family only")
    (record,) = importer.read_bytes([("a.dcm", part10(identified() + words))]).records
    assert (record.category, record.level) == (Category.IMAGE, "R")


# tables and documents


def test_case_12_decimal_commas_are_read_and_told(importer: Importer, reader: ReaderProcess) -> None:
    for content in (
        b"radius;texture\n17,99;10,38\n",
        b'radius,texture\n"17,99","10,38"\n',
        b"radius\ttexture\n17,99\t10,38\n",
    ):
        (record,) = records(importer, content, "a.csv")
        assert record.reading == ("Decimal commas: 17,99 in line 2 was read as 17.99. Please confirm.",)
        table = open_table(reader, record.objects[0].data)
        assert table.values(0) == {"radius": 17.99, "texture": 10.38}
        assert table.rows[0][0].text == "17,99"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"radius;texture\n1,234;5,678\n", "Line 2: 1,234 can be read in two ways"),
        (b"radius;texture\n1.234;5.678\n", "Line 2: 1.234 can be read in two ways"),
        (b'radius,texture\n"3","5"\n"1,234","5"\n', "Line 3: 1,234 can be read in two ways"),
        (b"radius;texture\n17,99;3.5\n", "Line 2 writes 3.5 and line 2 writes 17,99"),
        (b"radius;texture\n17,99;1.234\n", "Line 2: 1.234 can be read in two ways"),
        (b"radius;texture\n1.234,5;2\n", "Line 2: 1.234,5 has marks between thousands"),
        (b"radius;texture\n1.234.567;2\n", "Line 2: 1.234.567 has marks between thousands"),
    ],
)
def test_case_12_what_can_be_read_in_two_ways_is_refused_with_its_line(
    importer: Importer, content: bytes, line: str
) -> None:
    (found,) = importer.read_bytes([("a.csv", content)]).findings
    assert line in found.reason


def test_case_12_zero_comma_is_certain(importer: Importer, reader: ReaderProcess) -> None:
    (record,) = records(importer, b"v;w\n0,435;1,234\n", "a.csv")
    assert open_table(reader, record.objects[0].data).values(0) == {"v": 0.435, "w": 1.234}


def test_points_in_a_comma_file_are_decimal_points(importer: Importer, reader: ReaderProcess) -> None:
    (record,) = records(importer, b"\xef\xbb\xbfradius,texture\r\n1.234,.5\r\n?,5.\r\n", "a.csv")
    assert record.reading == ()
    table = open_table(reader, record.objects[0].data)
    assert [table.values(row) for row in (0, 1)] == [
        {"radius": 1.234, "texture": 0.5},
        {"radius": None, "texture": 5.0},
    ]


def test_cytology_is_known_by_its_thirty_names(importer: Importer, reader: ReaderProcess) -> None:
    assert len(set(CYTOLOGY_COLUMNS)) == 30
    bare = ",".join(CYTOLOGY_COLUMNS).encode() + b"\n" + b",".join([b"1.5"] * 30) + b"\n"
    (record,) = records(importer, bare, "a.csv", made_on="2026-11-12")
    assert (record.category, record.dates, record.level) == (Category.CYTOLOGY, ("2026-11-12",), "N")
    lacking = ",".join(CYTOLOGY_COLUMNS[:29]).encode() + b"\n" + b",".join([b"1.5"] * 29) + b"\n"
    (record,) = records(importer, lacking, "a.csv")
    assert (record.category, record.dates) == (Category.LABORATORY, ())
    assert open_table(reader, bare).category == "cytology"


def test_the_names_are_scikit_learns() -> None:
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415  -- two seconds of imports

    assert list(CYTOLOGY_COLUMNS) == list(load_breast_cancer().feature_names)


def test_a_laboratory_list_names_its_columns_and_its_days(importer: Importer, reader: ReaderProcess) -> None:
    content = (
        b"test,value,unit,low,high,date\nGlucose,5.4,mmol/L,3.9,5.6,2026-11-03\nIron,9,umol/L,,,2026-11-01T08:00\n"
    )
    (record,) = records(importer, content, "a.csv")
    assert record.dates == ("2026-11-01", "2026-11-03")
    table = open_table(reader, content)
    assert table.roles == {"test": 0, "value": 1, "unit": 2, "low": 3, "high": 4, "date": 5}
    wide = open_table(reader, b"Glucose [mmol/L],Iron (umol/L)\n5.4,9\n")
    assert [(column.name, column.unit) for column in wide.columns] == [("Glucose", "mmol/L"), ("Iron", "umol/L")]


def test_heart_tables_are_known(importer: Importer) -> None:
    raw = (shared_data("data/heart") / "processed.cleveland.data").read_bytes()
    (refused,) = importer.read_bytes([("a.data", raw)]).findings
    assert "Line 1 must name every column" in refused.reason
    header = b"age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num\n"
    (record,) = records(importer, header + raw, "a.csv")
    assert (record.category, record.display) == (Category.HEART, "Heart measurements, 303 rows")


def test_documents(importer: Importer, reader: ReaderProcess) -> None:
    findings = importer.read_files([shared_data("data/pdf")]).findings
    by_name = {Path(found.path).name: found for found in findings}
    assert "asks for a password" in by_name.pop("libreoffice-writer-password.pdf").reason
    assert all(found.accepted and (found.category, found.level) == ("document", "R") for found in by_name.values())
    assert by_name["minimal-document.pdf"].date == "2022-04-03"
    assert "attached file" in by_name["with-attachment.pdf"].reading
    rotated = open_document(
        reader, (shared_data("data/pdf") / "habibi-rotated.pdf").read_bytes(), first=0, count=9, scale=1
    )
    assert [page.picture.shape for page in rotated.pages] == [
        (596, 842, 3),
        (842, 596, 3),
        (596, 842, 3),
        (842, 596, 3),
    ]


# views


def test_pages_are_pictures_with_words(reader: ReaderProcess) -> None:
    content = document_pdf(ALMA, "2026-11-10")
    opened = open_document(reader, content, first=1, count=5, scale=2)
    assert (opened.page_count, [page.number for page in opened.pages]) == (2, [1])
    assert opened.pages[0].picture.shape == (1684, 1190, 3)
    assert 0 < (opened.pages[0].picture < 128).mean() < 0.1
    assert "Page 2: medication" in opened.pages[0].text
    huge = open_document(reader, content, scale=1e9)
    assert max(huge.pages[0].picture.shape) <= 6000


def test_a_chart_shows_every_resource_in_words(reader: ReaderProcess) -> None:
    chart = open_chart(reader, fhir_bundle(ALMA, "2026-11-20"))
    assert [row.text for row in chart.problems] == ["Essential hypertension", "Iron deficiency anemia"]
    assert [row.dosage for row in chart.medication] == ["One tablet in the morning", "One tablet every second day"]
    assert [(row.test, row.value, row.unit, row.low, row.high, row.flag) for row in chart.results][2:4] == [
        ("Hemoglobin", "10.8", "g/dL", "12.0", "15.5", "low"),
        ("Ferritin", "9.0", "ug/L", "15", "150", "low"),
    ]
    assert chart.results[-1].value == "4.10"
    assert [row.text for row in chart.encounters] == ["Check-up", "Consultation", "Follow-up"]
    assert [row.title for row in chart.documents] == ["Psychiatric note", "Letter to the family doctor"]
    assert all(row.by == "Dr Ines Sample" for row in chart.results)


def test_odd_elements_of_a_chart_are_shown_harmlessly(reader: ReaderProcess) -> None:
    content = bundle(
        resource(id="1", valueString="<b>x</b>\u202e"),
        resource(id="2", valueBoolean=True),
        resource(id="3", valueCodeableConcept={"text": "positive"}),
        resource(id="4", dataAbsentReason={"text": "unknown"}),
        resource(id="5", valueRange={"low": {"value": 1}, "high": {"value": 2.50, "unit": "g"}}),
        resource(
            id="6", component=[{"code": {"text": "Systolic"}, "valueQuantity": {"value": 120, "comparator": "<"}}]
        ),
        resource(
            id="7",
            valueQuantity={"value": 9, "unit": "g"},
            referenceRange=[{"high": {"value": 5, "unit": "mg"}}, {"high": {"value": 8, "unit": "g"}}],
            interpretation=[{"coding": [{"code": "unknown"}]}],
        ),
        resource(id="8", valueQuantity={"value": 9}, interpretation=[{"coding": [{"code": "LL"}]}]),
        resource(
            "DocumentReference",
            status="current",
            content=[
                {"attachment": {"contentType": "text/plain", "data": "SGVsbG8="}},
                {"attachment": {"contentType": "text/plain", "data": "%"}},
                {"attachment": {"contentType": "application/pdf", "title": "scan"}},
            ],
            text={"div": "<div onclick='x'>Dear &lt;doctor&gt;</div>"},
        ),
        resource("Flag", code={"text": "Falls"}),
        resource(
            "MedicationStatement",
            status="active",
            medicationReference={"reference": "#m"},
            contained=[{"id": "m", "code": {"text": "Aspirin"}}],
        ),
        resource(
            "MedicationRequest",
            id="9",
            dosageInstruction=[
                {
                    "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
                }
            ],
        ),
        resource(
            "Immunization", status="completed", vaccineCode={"coding": [{"code": "140"}]}, patient=7, performer="x"
        ),
    )
    chart = open_chart(reader, content)
    assert [row.value for row in chart.results] == [
        "<b>x</b>",
        "yes",
        "positive",
        "not measured",
        "1 to 2.5 g",
        "<120",
        "9",
        "9",
    ]
    assert [(row.high, row.flag) for row in chart.results][6:] == [("8", "high"), ("", "low")]
    assert (
        chart.documents[0].text
        == "Dear <doctor>\n\nHello\n\nAn attached text is damaged.\n\nAttachment: scan application/pdf"
    )
    assert [row.text for row in chart.medication] == ["Aspirin", "MedicationRequest", "140"]
    assert chart.medication[1].dosage == "5 mg, 2x per 1 d"
    assert chart.others[0].text == "Falls"


class Lying:
    """A reader whose child says something else than it should."""

    def __init__(self, **document: Any) -> None:
        self._document = document

    def ask(self, *_: object) -> Reply:
        return Reply(self._document, ())


@pytest.mark.parametrize("opening", [open_chart, open_table, open_document])
def test_an_answer_of_another_form_is_not_shown(opening: Any) -> None:
    for document in (
        {},
        {"problems": [{"surprise": 1}]},
        {"columns": 7, "category": ""},
        {"numbers": [1], "texts": ["a"], "pages": 1},
    ):
        with pytest.raises(Exception, match="not usable"):
            opening(Lying(**document), b"x")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"pixels": None},
        {"records": [{}], "person": {}},
        {"records": [{"category": "weather"}], "person": {}},
        {"pages": "many", "title": "", "date": "", "active": []},
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.pdf", "a.csv"])
def test_an_answer_of_another_form_imports_nothing(
    importer: Importer, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], name: str
) -> None:
    content = {"a.json": bundle(resource()), "a.pdf": b"%PDF-", "a.csv": b"a,b\n1,2\n"}[name]
    monkeypatch.setattr(ReaderSession, "ask", lambda *_: Reply(answer, ()))
    taken = importer.read_bytes([(name, content)])
    assert taken.records == ()
    assert "not usable" in taken.findings[0].reason


# the sandbox's own records


def test_the_phantom_has_lines_of_known_length(reader: ReaderProcess) -> None:
    from app.records import rendering  # noqa: PLC0415
    from app.records.images import Image, open_images  # noqa: PLC0415

    slices = list(ct_series(ALMA, "2026-11-10"))
    assert len(slices) >= 200
    (image,) = open_images(reader, [slices[LINES[0].slice_number - 1]])
    assert isinstance(image, Image)
    for line in LINES:
        assert rendering.length(image, 0, line.first, line.last).value == pytest.approx(line.millimetres)
        for end in (line.first, line.last):
            assert rendering.read_out(image, 0, *end).text == "1200 HU"
    assert rendering.first_window(image, 0).note == ""
    assert (image.person.name, image.lossy, image.notes) == ("Alma Fictive", False, ())


def test_generated_records_follow_from_their_arguments(importer: Importer) -> None:
    for make in (
        lambda: list(ct_series(ALMA, "2026-11-10", slices=2)),
        lambda: fhir_bundle(ALMA, "2026-11-10"),
        lambda: document_pdf(ALMA, "2026-11-10"),
        lambda: cytology_csv("2026-11-10"),
    ):
        assert make() == make()
    assert next(ct_series(ALMA, "2026-11-10", seed="other")) != next(ct_series(ALMA, "2026-11-10"))
    named = [("1.dcm", next(ct_series(ALMA, "2026-11-10"))), ("a.json", fhir_bundle(ALMA, "2026-11-10"))]
    named += [("a.pdf", document_pdf(ALMA, "2026-11-10")), ("a.csv", cytology_csv("2026-11-10"))]
    taken = importer.read_bytes(named)
    assert taken.refused == ()
    assert {record.category.value for record in taken.records} == {
        *("image", "encounter", "laboratory", "medication", "problem", "document", "cytology")
    }
    assert [record.level for record in taken.records if PSY in record.labels] == ["R"]


def test_the_generated_bundle_is_valid_r4() -> None:
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415  -- slow

    for person in (ALMA, Person("Bruno Mockup", "1981-01-02")):
        assert Bundle.model_validate_json(fhir_bundle(person, "2026-11-10")).type == "collection"


def test_the_phantom_is_what_pydicom_reads() -> None:
    import io  # noqa: PLC0415

    import pydicom  # noqa: PLC0415

    ds = pydicom.dcmread(io.BytesIO(next(ct_series(ALMA, "2026-11-10", slices=1))))
    assert (str(ds.PatientName), ds.Rows, ds.pixel_array.shape) == ("Fictive^Alma", 256, (256, 256))


# inspect


def test_inspect_prints_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.dcm").write_bytes(hostile.image())
    (tmp_path / "b.json").write_bytes(fhir_bundle(ALMA, "2026-11-10"))
    (tmp_path / "c.csv").write_bytes(b"radius;texture\n17,99;10,38\n")
    assert inspecting.main([tmp_path], as_json=True) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all({"path", "kind", "accepted", "reason", "category", "date", "level"} <= set(row) for row in rows)
    assert len([row for row in rows if row["kind"] == "fhir"]) > 5
    (tmp_path / "d.dcm").write_bytes(hostile.nested(400))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert inspecting.main([tmp_path], as_json=False) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any("d.dcm: refused. It is nested more than 32 levels deep." in line for line in lines)
    assert any("was read as 17.99. Please confirm." in line for line in lines)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_inspect_uses_a_running_reader(reader: ReaderProcess, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    (found,) = inspecting.inspect([tmp_path], reader=reader)
    assert found.accepted


def test_text_that_is_shown_is_one_plain_line() -> None:
    assert plain("a\n\tb\u202ec\x1b[0m\0d") == "a b c[0md".replace("b c", "bc")
    assert plain("x" * 200) == "x" * 119 + "…"
