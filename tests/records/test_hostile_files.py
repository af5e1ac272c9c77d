"""HOSTILE.md 1 to 21: each file gets a clear answer that says what to do; nothing of it is taken."""

import json
import os
import socket
import time
from pathlib import Path

import pytest

from app.records.images import Image, Unreadable, open_images
from app.records.importing import Finding, Importer
from app.records.limits import MIB, Limits
from app.records.reader import ReaderProcess
from tests.support import hostile
from tests.support.records import identified, part10, picture


def finding(importer: Importer, name: str, content: bytes) -> Finding:
    taken = importer.read_bytes([(name, content)])
    assert len(taken.findings) == 1
    assert bool(taken.records) == taken.findings[0].accepted
    return taken.findings[0]


def reason(importer: Importer, name: str, content: bytes) -> str:
    found = finding(importer, name, content)
    assert not found.accepted
    assert found.reason.endswith(".")
    return found.reason


def test_a_good_file_is_taken_so_that_these_tests_can_fail(importer: Importer) -> None:
    assert finding(importer, "a.dcm", hostile.image()).accepted
    assert finding(importer, "a.json", hostile.bundle(hostile.resource())).accepted
    assert finding(importer, "a.dcm", hostile.nested(20)).accepted


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"MZ\x90\0", "a Windows program"),
        (b"\x7fELF\x02", "a Linux program"),
        (b"\xcf\xfa\xed\xfe", "a program"),
        (b"#!/bin/sh\n", "a script"),
        (b"%PDF-1.4", "a PDF"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"<html>", "a web page"),
    ],
)
def test_1_a_program_in_the_preamble(importer: Importer, start: bytes, words: str) -> None:
    assert f"It hides {words} in its first 128 bytes" in reason(importer, "a.dcm", hostile.with_preamble(start))


def test_1_a_tiff_preamble_is_allowed(importer: Importer) -> None:
    assert finding(importer, "a.dcm", hostile.with_preamble(b"II*\0")).accepted


def test_2_a_deflate_bomb(importer: Importer) -> None:
    bomb = hostile.deflate_bomb()
    assert len(bomb) < MIB
    assert "it is made to fill memory" in reason(importer, "a.dcm", bomb)
    assert "compressed part is damaged" in reason(importer, "a.dcm", part10(b"no deflate" * 9, syntax=hostile.DEFLATED))


@pytest.mark.parametrize("depth", [33, 3000])
def test_3_sequences_inside_sequences(importer: Importer, depth: int) -> None:
    assert "nested more than 32 levels deep" in reason(importer, "a.dcm", hostile.nested(depth))


def test_4_a_codestream_that_claims_too_many_pixels(reader: ReaderProcess) -> None:
    shown = list(open_images(reader, [hostile.huge_codestream(), hostile.huge_picture(), hostile.image()]))
    assert isinstance(shown[0], Unreadable)
    assert "claims 1,000,000,000,000 pixels where the header says 2 by 2" in shown[0].reason
    assert isinstance(shown[1], Unreadable)
    assert "Unpacked, it would need" in shown[1].reason
    assert isinstance(shown[2], Image)


def test_6_and_7_files_that_are_cut_or_malformed(importer: Importer) -> None:
    assert "cut short inside element (7fe0,0010)" in reason(importer, "a.dcm", hostile.truncated())
    assert "mark DICM is missing" in reason(importer, "a.dcm", hostile.image()[132:])
    assert "does not say how it is encoded" in reason(importer, "a.dcm", part10(identified(), syntax=""))
    assert "is malformed" in reason(importer, "a.dcm", part10(identified() + b"\x28\0\x02\0??\0\0\0\0"))
    assert "beyond the part that holds it" in reason(importer, "a.dcm", hostile.sequence_beyond_its_parent())
    for loose in (b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"):
        assert "is malformed" in reason(importer, "a.dcm", part10(identified() + loose))


def test_7_too_many_elements(reader: ReaderProcess) -> None:
    few = Importer(reader, limits=Limits(elements=1000))
    assert finding(few, "a.dcm", hostile.many_elements(900)).accepted
    with ReaderProcess(Limits(elements=1000)) as narrow:
        assert "more than 1,000 data elements" in reason(Importer(narrow), "a.dcm", hostile.many_elements(1001))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"RescaleSlope": b"1e308", "RescaleIntercept": b"0"}, "rescale values cannot be used"),
        ({"RescaleSlope": b"NaN", "RescaleIntercept": b"0"}, "rescale values cannot be used"),
        ({"RescaleSlope": b"0", "RescaleIntercept": b"0"}, "rescale values cannot be used"),
        ({"WindowCenter": b"40", "WindowWidth": b"0"}, "width 0 or no value"),
        ({"WindowCenter": b"NaN", "WindowWidth": b"400"}, "width 0 or no value"),
        ({"PixelSpacing": b"0\\0"}, "pixel spacing is not above zero"),
    ],
)
def test_8_values_that_cannot_be(reader: ReaderProcess, changed: dict[str, bytes], words: str) -> None:
    (shown,) = open_images(reader, [hostile.image(**changed)])
    assert isinstance(shown, Image)
    assert any(words in note for note in shown.notes)
    frame = shown.frames[0]
    assert (frame.slope, frame.intercept, frame.windows, frame.pixel_spacing) == (1.0, 0.0, (), None)


@pytest.mark.parametrize("uid", ["../../x", "1.2.3\0../x", "1." * 150, "\u202e1.2", "", "1..2", "abc"])
def test_10_uids_that_are_none(importer: Importer, uid: str) -> None:
    content = part10(identified(SOPInstanceUID=uid.encode("utf-8").decode("latin-1")) + picture(bytes(8), 2, 2))
    found = finding(importer, "a.dcm", content)
    assert found.accepted == (uid == "1.2.3\0../x") or "no valid UID" in found.reason


def test_10_names_of_files_are_shown_harmlessly_and_never_used(
    importer: Importer, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.records.inspect import _line, _sentence  # noqa: PLC0415

    name = "\u202egnp.\x1b[31mexe\n<b>" + "x" * 300 + ".dcm"
    found = finding(importer, name, hostile.image())
    assert found.path == name
    shown = _sentence(found)
    assert shown.isprintable()
    assert "\u202e" not in shown
    assert json.loads(_line(found))["path"] == name
    assert "\u202e" not in _line(found)


@pytest.mark.parametrize(
    ("charset", "raw", "shown"),
    [
        ("", b"<img src>^%s", "%s <img src>"),
        ("ISO_IR 192", "Fictive^\U0001f600".encode(), "\U0001f600 Fictive"),
        ("GB18030", "王^小东".encode("gb18030"), "小东 王"),
        ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Tarou Yamada"),
    ],
)
def test_11_names_of_patients_are_plain_text(importer: Importer, charset: str, raw: bytes, shown: str) -> None:
    extra = {"SpecificCharacterSet": charset} if charset else {}
    content = part10(identified(PatientName=raw.decode("latin-1"), **extra) + picture(bytes(8), 2, 2))
    taken = importer.read_bytes([("a.dcm", content)])
    assert taken.records[0].person.name == shown


def test_12_a_dicomdir_is_not_followed(importer: Importer, tmp_path: Path) -> None:
    secret = tmp_path / "secret.dcm"
    secret.write_bytes(hostile.image())
    disc = tmp_path / "disc"
    disc.mkdir()
    (disc / "DICOMDIR").write_bytes(hostile.directory("..", "secret.dcm"))
    assert importer.read_files([disc]).findings == ()
    assert "It is a DICOMDIR" in reason(importer, "DICOMDIR", hostile.directory("..\\secret.dcm"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.dcm", b"a,b\n1,2\n", "name says DICOM, but it holds a table"),
        ("a.dcm", b"%PDF-1.4\n", "name says DICOM, but it holds a PDF"),
        ("a.dcm", b"PK\x03\x04rest", "ZIP archive. Unpack it"),
        ("a.dcm", bytes(range(1, 32)) * 20, "mark DICM is missing"),
        ("a.pdf", b"{}", "name says a PDF, but it holds JSON"),
        ("a.json", b"<Bundle xmlns='http://hl7.org/fhir'/>", "Export FHIR as JSON"),
        ("a.csv", "a;b\n1;2\n".encode("utf-16"), "UTF-16. Save it as UTF-8"),
        ("a.exe", b"MZ\x90", "a program"),
        ("a.sh", b"#!/bin/sh\nrm\n", "text of an unknown kind"),
        ("a.gz", b"\x1f\x8b\x08", "compressed file"),
        ("a.png", b"\x89PNG\r\n", "PNG picture"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "JPEG picture"),
        ("a.bin", bytes(range(1, 32)) * 20, "none of DICOM"),
        ("a.csv", b"", "empty (0 bytes)"),
        ("a.csv", b"  \n ", "It is empty, or holds"),
    ],
)
def test_13_and_15_files_that_are_not_what_they_say(importer: Importer, name: str, content: bytes, words: str) -> None:
    assert words in reason(importer, name, content)


def test_13_links_pipes_sockets_and_devices_are_never_opened(importer: Importer, tmp_path: Path) -> None:
    (tmp_path / "good.dcm").write_bytes(hostile.image())
    (tmp_path / "link.dcm").symlink_to(tmp_path / "good.dcm")
    (tmp_path / "folder-link").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.dcm")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        started = time.monotonic()
        findings = importer.read_files([tmp_path, Path("/dev/zero"), tmp_path / "absent", Path("bad\0name")]).findings
        assert time.monotonic() - started < 20
    reasons = {Path(found.path).name: found.reason for found in findings}
    assert reasons.pop("good.dcm") == ""
    assert "It is a link" in reasons["link.dcm"]
    assert "It is a link" in reasons["folder-link"]
    for name in ("pipe.dcm", "socket", "zero"):
        assert "no ordinary file" in reasons[name]
    assert "No such file" in reasons["absent"]
    assert "bad name" in reasons["bad\0name"]


def test_13_a_link_that_appears_between_look_and_read_is_not_followed(tmp_path: Path) -> None:
    from app.records.imported import open_regular  # noqa: PLC0415
    from app.records.refusal import RefusedError  # noqa: PLC0415

    target = tmp_path / "target"
    target.write_bytes(b"secret")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(RefusedError, match="It is a link"):
        open_regular(link)
    with pytest.raises(RefusedError, match="no ordinary file"):
        open_regular(tmp_path)


def test_14_a_file_that_changes_while_it_is_looked_at(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.records.reader import ReaderSession  # noqa: PLC0415

    path = tmp_path / "a.dcm"
    path.write_bytes(hostile.image())
    real = ReaderSession.ask

    def ask(self: ReaderSession, *arguments: object) -> object:
        path.write_bytes(hostile.image() + bytes(2))
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ReaderSession, "ask", ask)
    (found,) = importer.read_files([path]).findings
    assert "It changed while it was read" in found.reason


def test_15_files_beyond_the_limit_are_refused_without_being_read(importer: Importer, tmp_path: Path) -> None:
    for name, size, words in (
        ("a.dcm", 20 << 30, "It has 20.0 GiB; at most 2048 MiB"),
        ("a.csv", 300 << 20, "It has 300 MiB"),
    ):
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(hostile.image() if name == "a.dcm" else b"a,b\n" + b"1,2\n" * 1000)
            file.truncate(size)
        started = time.monotonic()
        (found,) = importer.read_files([path]).findings
        assert words in found.reason
        assert time.monotonic() - started < 5


def test_17_documents_that_act_or_loop(importer: Importer, reader: ReaderProcess) -> None:
    taken = importer.read_bytes([("a.pdf", hostile.active_pdf())])
    assert taken.findings[0].accepted
    assert "It holds a script; it is never run." in taken.findings[0].reading
    assert "start a program" in taken.findings[0].reading
    assert not finding(importer, "a.pdf", hostile.looping_pdf()).accepted
    assert "damaged, or no PDF" in reason(importer, "a.pdf", b"%PDF-1.4\nnothing")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (hostile.nested_json(5000), "nested 5001 levels deep; at most 64"),
        (b'{"resourceType":"Basic","id":"a","id":"b"}', "member 'id' twice"),
        (b'{"resourceType":"Basic","x":{"y":1,"y":2}}', "member 'y' twice"),
        (b'\xef\xbb\xbf{"resourceType":"Basic"}', "byte order mark"),
        (b'{"resourceType":"Basic","x":1e400}', "too large to be a measurement"),
        (b'{"resourceType":"Basic","x":NaN}', "no JSON number"),
        (b'{"resourceType":"Basic","x":1,}', "no JSON (line 1, column 31)"),
        (b'{"resourceType":"Basic"} trailing', "follows its end"),
        (b'{"resourceType":"Basic","x":"\xff"}', "not UTF-8 (byte 29)"),
        (b"[1,2]", "no JSON object"),
        (b"{}", "no resourceType"),
        (hostile.bundle(hostile.resource("Encounter", status="finished!!")), 'Encounter.status is "finished!!"'),
        (hostile.bundle(hostile.resource(effectiveDateTime="2026-02-30")), '"2026-02-30", which does not exist'),
        (hostile.bundle(hostile.resource(effectiveDateTime="10.11.2026")), "which does not exist"),
        (hostile.bundle(), "bundle is empty"),
    ],
)
def test_18_json_that_is_not_to_be_trusted(importer: Importer, content: bytes, words: str) -> None:
    assert words in reason(importer, "a.json", content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (hostile.bundle(hostile.resource("Encounter", **{"class": [{"coding": []}]})), "written in FHIR R5"),
        (hostile.bundle(hostile.resource("MedicationRequest", medication={"concept": {}})), "written in FHIR R5"),
        (hostile.bundle(hostile.resource("MedicationRequest", context={})), "written in FHIR STU3"),
        (hostile.bundle(hostile.resource(context={"reference": "Encounter/1"})), "written in FHIR STU3"),
        (hostile.bundle(hostile.resource("DocumentReference", indexed="2026")), "written in FHIR STU3"),
        (hostile.bundle(hostile.resource("ActorDefinition")), "ActorDefinition is no resource of FHIR R4"),
        (
            json.dumps(
                {
                    "resourceType": "Bundle",
                    "entry": [{"resource": hostile.resource(), "request": {"method": "POST", "url": "Patient/1"}}],
                }
            ).encode(),
            "announced as Patient but holds Observation",
        ),
        (b'{"resourceType":"Bundle","entry":[{"fullUrl":"x"}]}', "Entry 1 holds no resource"),
        (b'{"resourceType":"Bundle","entry":[1]}', "Entry 1 holds no resource"),
        (hostile.bundle(hostile.resource("Patient"), hostile.resource("Patient", id="2")), "more than one patient"),
        (
            hostile.bundle(
                hostile.resource(subject={"reference": "Patient/a"}),
                hostile.resource(id="2", subject={"reference": "Patient/b"}),
            ),
            "more than one patient",
        ),
        (hostile.bundle(hostile.resource("Patient")), "holds no record"),
    ],
)
def test_19_bundles_of_another_release_or_of_two_patients(importer: Importer, content: bytes, words: str) -> None:
    assert words in reason(importer, "a.json", content)


def test_19_a_bundle_of_a_hundred_thousand_entries(importer: Importer) -> None:
    one = b'{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"}}}'
    content = b'{"resourceType":"Bundle","entry":[' + b",".join([one] * 100_000) + b"]}"
    assert "has 100,000 entries; at most 50,000" in reason(importer, "a.json", content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b",".join(b"c%d" % number for number in range(1_000_000)) + b"\n1\n", "no table of at most 1,000 columns"),
        (b"a,b\n" + b"1," * 2000 + b"1\n", "Line 2 has 2,001 columns"),
        ("größe,b\n1,2\n".encode("latin-1"), "Line 1 is not UTF-8"),
        (b"a,b\n1,\x002\n", "no text"),
        (b"a,b\n" + b"1,2\n" * 1000 + b"1,\x002\n", "NUL bytes"),
        (b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 columns where line 1 names 2"),
        (b"a;b,c\n1;2,3\n", "several of comma, semicolon and tab"),
        (b"63.0,1.0\n3,4\n", "Line 1 must name every column"),
        (b"a,A\n1,2\n", 'names the column "a" twice'),
        (b"a,b\n", "no rows below its first line"),
        (b"a\n1\n", "one column only"),
        (b"a,b\nx,y\n", "holds no number"),
        (b"a,b\n1e400,2\n", "1e400 is too large"),
        (b"a,b\n1 234,2\n", "marks between thousands"),
        (b'a,b\n"1,2\n', "no table"),
        (b"a,b\n" + b"x" * 5000 + b",2\n", "no table"),
    ],
)
def test_20_tables_that_cannot_be_read_one_way(importer: Importer, content: bytes, words: str) -> None:
    assert words in reason(importer, "a.csv", content)


def test_20_a_formula_stays_text(reader: ReaderProcess) -> None:
    rows = reader.ask("table", b"=cmd|' /C calc'!A0,b\n=1+1,2\n").document["rows"]
    assert rows == [[["=1+1", None], ["2", 2.0]]]


def test_20_mixed_units_are_told_and_not_converted(importer: Importer) -> None:
    content = b"test,value,unit\nGlucose,5.4,mmol/L\nGlucose,98,mg/dL\n"
    assert "Glucose is given in mg/dL and mmol/L" in finding(importer, "a.csv", content).reading


def test_21_two_files_of_the_same_instance_with_other_content(importer: Importer) -> None:
    first, second = hostile.image(), hostile.image(WindowWidth=b"400", WindowCenter=b"40")
    taken = importer.read_bytes([("a.dcm", first), ("b.dcm", first), ("c.dcm", second)])
    assert [(found.path, found.accepted) for found in taken.findings] == [("c.dcm", False), ("a.dcm", True)]
    assert len(taken.records[0].objects) == 1


def test_21_the_same_study_number_of_two_patients_is_two_records(importer: Importer) -> None:
    one = part10(identified(PatientID="A", SOPInstanceUID="1.1") + picture(bytes(8), 2, 2))
    two = part10(identified(PatientID="B", SOPInstanceUID="1.2") + picture(bytes(8), 2, 2))
    taken = importer.read_bytes([("a.dcm", one), ("b.dcm", two)])
    assert [record.person.identifier for record in taken.records] == ["A", "B"]


def test_one_bad_file_does_not_keep_the_others_out(importer: Importer) -> None:
    named = [("1.dcm", hostile.image()), ("2.dcm", hostile.nested(400)), ("3.csv", b"a,b\n1,2\n"), ("4.pdf", b"%PDF-")]
    taken = importer.read_bytes(named)
    assert {found.path: found.accepted for found in taken.findings} == {
        "1.dcm": True,
        "2.dcm": False,
        "3.csv": True,
        "4.pdf": False,
    }
    assert {record.kind for record in taken.records} == {"dicom", "csv"}


def test_more_files_than_allowed_stop_with_a_reason(reader: ReaderProcess, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.csv").write_bytes(b"a,b\n1,2\n")
    findings = Importer(reader, limits=Limits(files=3)).read_files([tmp_path]).findings
    assert [found.accepted for found in findings] == [True, True, True, False]
    assert "more than 3 files" in findings[-1].reason


def test_folders_nested_too_deep_are_named(importer: Importer, tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(40):
        deep = deep / "x"
    deep.mkdir(parents=True)
    (found,) = importer.read_files([tmp_path]).findings
    assert "nested more than 32 deep" in found.reason
