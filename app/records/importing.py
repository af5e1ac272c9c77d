"""From files to records: what each file is, whether it is taken, and how it is split (PROTOCOL.md C1, features R1, O1).

A file is taken whole or not at all. Every file is looked at by the reader's child; the parent digests the bytes, and
sealing later refuses any other bytes.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from app.records.description import (
    CONFIDENTIALITY_SYSTEM,
    RESOURCE_SYSTEM,
    Category,
    ConfidentialityRules,
    Person,
    labels_with_default,
    level_of,
    plain,
)
from app.records.imported import (
    BytesSource,
    FileSource,
    ImportObject,
    ImportRecord,
    Source,
    identity_of,
    open_regular,
)
from app.records.kinds import MEDIA_TYPES, kind_of
from app.records.limits import GIB, MIB, Limits
from app.records.reader import ReaderProcess, ReaderSession
from app.records.refusal import RefusedError

_HEAD: Final = 1024
_CHUNK: Final = 4 * MIB
_COPY: Final = 64 * MIB
_FOLDER_DEPTH: Final = 32
_RESTRICTED: Final = f"{CONFIDENTIALITY_SYSTEM}|R"
_SAME_INSTANCE: Final = (
    "Another file of this import is the same DICOM instance with other content. Only one can be right."
)
_BUNDLE: Final = (b'{"resourceType":"Bundle","type":"collection","entry":[', b"]}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What an import would do with one file, or with one record of a bundle.

    Attributes:
        path: as it was given.
        kind: dicom, fhir, pdf, csv, or empty if it is none of them.
        accepted: it would be taken.
        reason: why not and what to do; empty if accepted.
        category: of the record.
        date: first day, as written; empty if the file states none.
        level: confidentiality letter.
        reading: how it was read, to be confirmed; empty if nothing was decided.
        display: what the list would show.
    """

    path: str
    kind: str
    accepted: bool
    reason: str = ""
    category: str = ""
    date: str = ""
    level: str = ""
    reading: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """The result of looking at files: records to seal, and a finding for each file or record."""

    records: tuple[ImportRecord, ...]
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that are refusals."""
        return tuple(finding for finding in self.findings if not finding.accepted)


@dataclass(slots=True)
class _Instance:
    """One accepted DICOM file, waiting for the rest of its study."""

    path: str
    about: dict[str, Any]
    item: ImportObject


@dataclass(slots=True)
class _Work:
    """What has been found so far."""

    records: list[ImportRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    instances: list[_Instance] = field(default_factory=list)


class Importer:
    """Looks at files and bytes with one reader; keeps nothing between calls."""

    def __init__(
        self, reader: ReaderProcess, rules: ConfidentialityRules | None = None, limits: Limits | None = None
    ) -> None:
        self._reader = reader
        self._rules = rules or ConfidentialityRules()
        self._limits = limits or reader.limits

    def read_files(self, paths: Sequence[Path], *, made_on: str = "") -> Import:
        """Look at files and at everything below folders.

        Args:
            paths: files and folders.
            made_on: day to use for tables and documents that state none (``YYYY-MM-DD``).
        """
        return self._read(self._files(paths), made_on)

    def read_bytes(self, named: Sequence[tuple[str, bytes]], *, made_on: str = "") -> Import:
        """Look at contents that came by a message, each with the name its sender knows it by."""
        return self._read(((name, content) for name, content in named), made_on)

    def _files(self, paths: Sequence[Path]) -> Iterator[tuple[str, Path | str]]:
        """Yield each file, or a reason why it cannot be one; links are named, never followed."""
        count = 0
        for path in paths:
            for found, problem in _below(path, 0):
                count += 1
                if count > self._limits.files:
                    yield str(path), f"There are more than {self._limits.files:,} files. Import them in parts."
                    return
                yield str(found), problem or found

    def _read(self, named: Iterable[tuple[str, Path | str | bytes]], made_on: str) -> Import:
        work = _Work()
        session: ReaderSession | None = None
        try:
            for name, what in named:
                if isinstance(what, str):
                    work.findings.append(Finding(name, "", accepted=False, reason=what))
                    continue
                session = session or self._reader.session()
                if not self._look(session, name, what, made_on, work):
                    session.close()
                    session = None
        finally:
            if session is not None:
                session.close()
        work.records[:0] = self._studies(work)
        return Import(tuple(work.records), tuple(work.findings))

    def _look(self, session: ReaderSession, name: str, what: Path | bytes, made_on: str, work: _Work) -> bool:
        """Look at one file; return whether the session's child is still of use."""
        kind = ""
        try:
            with _Bytes(what, self._limits) as untrusted:
                kind = kind_of(untrusted.head, name)
                untrusted.check_size(kind)
                untrusted.digest()
                about = session.ask(f"describe-{kind}", untrusted.handle).document
                untrusted.check_unchanged()
                self._take(kind, name, about, untrusted, made_on, work)
        except RefusedError as refusal:
            work.findings.append(Finding(name, kind, accepted=False, reason=refusal.reason))
            return session.alive
        return True

    def _take(
        self, kind: str, name: str, about: dict[str, Any], untrusted: "_Bytes", made_on: str, work: _Work
    ) -> None:
        """Turn a child's answer into records; a field of another type than promised is a refusal."""
        try:
            if kind == "dicom":
                pixels = about["pixels"]
                place = None if pixels is None else (int(pixels[0]), int(pixels[1]))
                work.instances.append(_Instance(name, about, untrusted.object(name, kind, place)))
                return
            records = (
                self._fhir(name, about, untrusted)
                if kind == "fhir"
                else [self._document(kind, name, about, untrusted, made_on)]
            )
        except (KeyError, TypeError, ValueError, IndexError):
            raise RefusedError("The reader's answer about it is not usable. It is not taken.") from None
        work.records += records
        work.findings += [_accepted(name, record) for record in records]

    def _fhir(self, name: str, about: dict[str, Any], untrusted: "_Bytes") -> list[ImportRecord]:
        content = untrusted.content()
        person = _person(about["person"])
        records = []
        for row in about["records"]:
            category = Category(row["category"])
            codes = _texts(row["codes"])
            labels = labels_with_default(category, _texts(row["labels"]), codes, self._rules)
            raw = content if row["whole"] else _collected(content, row["spans"])
            records.append(
                ImportRecord(
                    kind="fhir",
                    category=category,
                    classes=(category.code, *_texts(row["classes"])),
                    codes=codes,
                    dates=_texts(row["dates"]),
                    labels=labels,
                    authors=_texts(row["authors"]),
                    related=_texts(row["related"]),
                    references=_texts(row["references"]),
                    display=plain(str(row["display"])),
                    person=person,
                    objects=(ImportObject.of(name, MEDIA_TYPES["fhir"], raw),),
                    paths=(name,),
                )
            )
        return records

    def _document(self, kind: str, name: str, about: dict[str, Any], untrusted: "_Bytes", made_on: str) -> ImportRecord:
        if kind == "pdf":
            category, count = Category.DOCUMENT, int(about["pages"])
            pages = f"{count} {'page' if count == 1 else 'pages'}"
            display = f"{plain(str(about['title']), 80) or 'Document'}, {pages}"
            reading = tuple(f"It holds {plain(word)}; it is never run." for word in _texts(about["active"]))
            dates = tuple(day for day in (str(about["date"]),) if day)
            classes = (category.code, f"{RESOURCE_SYSTEM}|DocumentReference")
        else:
            category, display = Category(about["category"]), plain(str(about["display"]))
            dates, reading = _texts(about["dates"]), _texts(about["reading"])
            classes = (category.code, f"{RESOURCE_SYSTEM}|Observation")
        return ImportRecord(
            kind=kind,
            category=category,
            classes=classes,
            codes=(),
            dates=dates or ((made_on,) if made_on else ()),
            labels=labels_with_default(category, (), (), self._rules),
            authors=(),
            related=(),
            references=(),
            display=display,
            person=Person(),
            objects=(untrusted.object(name, kind, None),),
            reading=reading,
            paths=(name,),
        )

    def _studies(self, work: _Work) -> list[ImportRecord]:
        studies: dict[tuple[str, str], dict[str, _Instance]] = {}
        for instance in work.instances:
            about = instance.about
            key = (str(about["study_instance_uid"]), str(about["person"]["identifier"]))
            members = studies.setdefault(key, {})
            earlier = members.get(str(about["sop_instance_uid"]))
            if earlier is not None and earlier.item.sha256 != instance.item.sha256:
                work.findings.append(Finding(instance.path, "dicom", accepted=False, reason=_SAME_INSTANCE))
            elif earlier is None:
                members[str(about["sop_instance_uid"])] = instance
        records = []
        for (study_uid, _), members in studies.items():
            record = self._study(study_uid, list(members.values()))
            records.append(record)
            work.findings += [_accepted(path, record) for path in record.paths]
        return records

    def _study(self, study_uid: str, instances: list[_Instance]) -> ImportRecord:
        ordered = sorted(
            instances, key=lambda one: (one.about["order"], str(one.about["series_instance_uid"]), one.path)
        )
        # The series' own order first, so that a study of several series opens series by series.
        firsts = {str(one.about["series_instance_uid"]): place for place, one in reversed(list(enumerate(ordered)))}
        ordered.sort(key=lambda one: firsts[str(one.about["series_instance_uid"])])
        categories = [Category(str(one.about["category"])) for one in ordered]
        category = Category.IMAGE if Category.IMAGE in categories else categories[0]
        codes = tuple(sorted({code for one in ordered for code in _texts(one.about["codes"])}))
        # A report is free text also where it lies among images: the whole study is then restricted as one (A40).
        raised = Category.DOCUMENT in categories or any(one.about["restricted"] for one in ordered)
        stated = {_RESTRICTED} if raised else set()
        days = sorted({str(one.about["date"]) for one in ordered if one.about["date"]})
        shown = next(one for one in ordered if one.about["category"] == category.value)
        return ImportRecord(
            kind="dicom",
            category=category,
            classes=(category.code, *sorted({code for one in ordered for code in _texts(one.about["classes"])})),
            codes=codes,
            dates=tuple(dict.fromkeys((days[0], days[-1]))) if days else (),
            labels=labels_with_default(category, stated, codes, self._rules),
            authors=(),
            related=(),
            references=(f"ImagingStudy/{study_uid}",),
            display=plain(str(shown.about["display"])),
            person=_person(shown.about["person"]),
            objects=tuple(one.item for one in ordered),
            paths=tuple(one.path for one in ordered),
        )


class _Bytes:
    """One file's bytes while they are looked at: bounded, digested, the same at the end as at the start."""

    def __init__(self, what: Path | bytes, limits: Limits) -> None:
        self._what = what
        self._limits = limits
        self._descriptor = -1
        self._sha256 = ""
        self._identity = (0, 0, 0, 0)
        self.handle: int | bytes = b""
        self.size = 0
        self.head = b""

    def __enter__(self) -> Self:
        if isinstance(self._what, bytes):
            self.handle, self.size, self.head = self._what, len(self._what), self._what[:_HEAD]
        else:
            self._descriptor = open_regular(self._what)
            status = os.fstat(self._descriptor)
            self._identity = identity_of(status)
            self.handle, self.size = self._descriptor, status.st_size
            self.head = os.pread(self._descriptor, _HEAD, 0)
        if not self.size:
            self.__exit__()
            raise RefusedError("It is empty (0 bytes). Ask for the file to be sent again.")
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def check_size(self, kind: str) -> None:
        most = self._limits.text_bytes if kind in ("fhir", "csv") else self._limits.object_bytes
        if self.size > most:
            shown = f"{self.size / GIB:.1f} GiB" if self.size >= GIB else f"{self.size >> 20} MiB"
            raise RefusedError(f"It has {shown}; at most {most >> 20} MiB are taken. Export it in parts.")

    def digest(self) -> None:
        """Digest all bytes; a small file is copied first, so that the child sees exactly what was digested."""
        if isinstance(self._what, bytes):
            self._sha256 = hashlib.sha256(self._what).hexdigest()
            return
        digest = hashlib.sha256()
        parts = []
        place = 0
        while part := os.pread(self._descriptor, _CHUNK, place):
            digest.update(part)
            place += len(part)
            if self.size <= _COPY:
                parts.append(part)
        self._sha256 = digest.hexdigest()
        if self.size <= _COPY:
            self.handle = b"".join(parts)

    def check_unchanged(self) -> None:
        if self._descriptor >= 0 and identity_of(os.fstat(self._descriptor)) != self._identity:
            raise RefusedError("It changed while it was read. Import it again when nothing writes to it any more.")

    def content(self) -> bytes:
        """Return all bytes, the digested ones."""
        if isinstance(self.handle, bytes):
            return self.handle
        content = os.pread(self._descriptor, self.size, 0)
        if hashlib.sha256(content).hexdigest() != self._sha256:
            raise RefusedError("It changed while it was read. Import it again when nothing writes to it any more.")
        return content

    def object(self, name: str, kind: str, pixels: tuple[int, int] | None) -> ImportObject:
        source: Source = (
            BytesSource(self._what) if isinstance(self._what, bytes) else FileSource(self._what, self._identity)
        )
        return ImportObject(name, MEDIA_TYPES[kind], self.size, self._sha256, pixels, source)


def _below(path: Path, depth: int) -> Iterator[tuple[Path, str]]:
    """Yield files below a path in order of name, each with the reason why it cannot be read, or nothing."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError) as error:
        yield path, f"It cannot be read ({getattr(error, 'strerror', None) or 'bad name'})."
        return
    if stat.S_ISLNK(mode):
        yield path, "It is a link. Choose the file itself."
    elif stat.S_ISREG(mode):
        yield path, ""
    elif not stat.S_ISDIR(mode):
        yield path, "It is no ordinary file (a pipe or device). Choose a file."
    elif depth > _FOLDER_DEPTH:
        yield path, f"Folders are nested more than {_FOLDER_DEPTH} deep here. Choose the inner folder."
    else:
        yield from _inside(path, depth)


def _inside(folder: Path, depth: int) -> Iterator[tuple[Path, str]]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        yield folder, f"It cannot be read ({error.strerror})."
        return
    for name in names:
        if name.upper() == "DICOMDIR":
            continue  # a list of the files beside it; it is never followed (CVE-2026-32711)
        yield from _below(folder / name, depth + 1)


def _accepted(path: str, record: ImportRecord) -> Finding:
    return Finding(
        path=path,
        kind=record.kind,
        accepted=True,
        category=record.category.value,
        date=record.dates[0][:10] if record.dates else "",
        level=level_of(record.labels),
        reading=" ".join(record.reading),
        display=record.display,
    )


def _collected(content: bytes, spans: Sequence[Sequence[int]]) -> bytes:
    """Return a bundle of entries, each byte of them as it came."""
    parts = [content[int(start) : int(end)] for start, end in spans]
    if not all(parts):
        raise ValueError(spans)
    return _BUNDLE[0] + b",".join(parts) + _BUNDLE[1]


def _person(row: dict[str, Any]) -> Person:
    return Person(**{name: plain(str(row.get(name, ""))) for name in ("name", "birth_date", "sex", "identifier")})


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(values)
    return tuple(plain(str(value), 400) for value in values)
