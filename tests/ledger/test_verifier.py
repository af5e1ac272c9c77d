"""The offline verifier finds and names what is not right (PROTOCOL.md E.5, ATTACKS.md A42, A45)."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.blocks import EmbeddedChain, Head, block_content, envelopes_of, header_of
from ledger.contract.transactions import REGISTRY
from ledger.embedded.export import export
from ledger.signatures import SoftwareKey, signed_bytes
from tests.support import contract as arguments
from tests.support.certificates import NOW, Hospital, private_key_of
from tests.support.ledger import ALDER, forged_block, signed_envelope
from tests.support.spine import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    OLGA,
    OSCAR,
    REMY,
    RITA,
    STELLA,
    VAULT,
    Spine,
    create_real,
    record_everything,
)
from tests.support.verifier import PROGRAM, load, run, written

VERIFIER = load()


class Exported:
    """A verified export of everything, with its blocks."""

    def __init__(self, folder: Path) -> None:
        with create_real(folder / "l") as ledger:
            record_everything(Spine(ledger))
            self.head = ledger.head
            self.chain: EmbeddedChain = ledger.chain
            self.blocks = list(ledger.blocks())
            export(ledger, folder / "export")
        self.content = (folder / "export").read_bytes()
        self.network_id = self.chain.network_id
        self.file = folder / "export"

    def verify(self, content: bytes, **options: Any) -> Any:
        file = self.file.with_name("changed")
        file.write_bytes(content)
        return VERIFIER.verify(file, **options)

    def verify_blocks(self, blocks: list[bytes], head: Head | None = None) -> Any:
        return self.verify(written(self.network_id, blocks, head or self.head))

    def place(self, position: int) -> tuple[int | None, int | None]:
        """Return the block and entry to which a byte of the export belongs, None outside of all."""
        block, entry = -1, None
        for line in self.content[:position].split(b"\n")[:-1]:
            block, entry = self._next(line, block, entry)
        line = self.content[self.content.rfind(b"\n", 0, position) + 1 :].split(b"\n")[0]
        if line.startswith((b'{"assent-export"', b'{"end"')):
            return None, None
        return self._next(line, block, entry)

    @staticmethod
    def _next(line: bytes, block: int, entry: int | None) -> tuple[int, int | None]:
        if line.startswith(b'{"assent'):
            return -1, None
        if line.startswith(b"{"):
            return block + 1, None
        return block, 0 if entry is None else entry + 1


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("exported"))


# What is right


def test_it_is_one_file_that_imports_nothing_of_ours() -> None:
    tree = ast.parse(PROGRAM.read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert outside == {"cryptography"}


def test_an_export_verifies(exported: Exported) -> None:
    status, verdict = run(exported.file)
    assert status == 0
    assert verdict["ok"] is True
    assert (verdict["block"], verdict["entry"], verdict["reason"]) == (None, None, "")
    assert (verdict["network_id"], verdict["height"]) == (exported.network_id, len(exported.blocks))
    assert verdict["head"] == exported.head.hash


def test_what_is_known_from_elsewhere_is_compared(exported: Exported) -> None:
    head = f"{exported.head.number}:{exported.head.hash}"
    assert run(exported.file, "--network", exported.network_id, "--head", head)[0] == 0
    assert run(exported.file, "--network", "0" * 64)[0] == 1
    assert run(exported.file, "--head", f"{exported.head.number + 1}:{exported.head.hash}")[0] == 1


def test_several_processes_find_the_same(exported: Exported, tmp_path: Path) -> None:
    blocks, head = list(exported.blocks), exported.head
    for number in range(24):
        votes = [{"model_id": f"m{number}-{index}", "vote": "approve"} for index in range(100)]
        envelopes = [
            entry(exported, CAROL, "VoteModel", vote, 1000 * number + index) for index, vote in enumerate(votes)
        ]
        block, head = forged_block(head, envelopes, exported.network_id)
        blocks.append(block)
    content = written(exported.network_id, blocks, head)
    assert len(content) > 2 * VERIFIER.CHUNK
    file = tmp_path / "long"
    for changed, found in (
        (content, (None, None)),
        (flipped(content, content.index(b"m20-7")), (exported.head.number + 21, 7)),
    ):
        file.write_bytes(changed)
        status, verdict = run(file, "--jobs", "2")
        assert (status, verdict) == (run(file, "--jobs", "1"))
        assert (verdict["block"], verdict["entry"]) == found


def test_the_chain_alone_verifies_faster(exported: Exported) -> None:
    assert exported.verify(exported.content, chain_only=True).ok
    verdict = exported.verify(flipped(exported.content, exported.content.index(b"EnrolMember")), chain_only=True)
    assert (verdict.ok, verdict.block, verdict.entry) == (False, 3, 0)


def test_people_read_a_sentence(exported: Exported) -> None:
    good = VERIFIER.sentence(VERIFIER.verify(exported.file))
    assert re.fullmatch(rf"Verified: \d+ entries in \d+ blocks of ledger {exported.network_id}, head .*\.", good)
    bad = VERIFIER.sentence(exported.verify(flipped(exported.content, exported.content.index(b"EnrolMember"))))
    assert bad == "NOT VERIFIED block 3, entry 0: the entry was altered."


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    status, verdict = run(tmp_path / "nothing")
    assert status == 1
    assert str(verdict["reason"]).startswith("the file cannot be read")


def test_every_transaction_has_its_signers() -> None:
    assert VERIFIER.SIGNERS.keys() == REGISTRY.keys()


# Bits, blocks and bytes


def flipped(content: bytes, position: int, bit: int = 0) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1 << bit
    return bytes(changed)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_one_flipped_bit_is_found_and_named(exported: Exported, where: float, bit: int) -> None:
    position = int(where * len(exported.content))
    verdict = exported.verify(flipped(exported.content, position, bit))
    assert not verdict.ok
    block, entry = exported.place(position)
    if block is not None and exported.content[position : position + 1] != b"\n":
        assert (verdict.block, verdict.entry) == (block, entry)
    elif block is not None:
        assert verdict.block in {block, block + 1}


def newlines(content: bytes) -> Iterator[int]:
    return (position for position, byte in enumerate(content) if byte == ord("\n"))


def test_every_line_end_and_line_begin_is_covered(exported: Exported) -> None:
    for position in newlines(exported.content):
        for place in {position, min(position + 1, len(exported.content) - 1)}:
            assert not exported.verify(flipped(exported.content, place)).ok


def test_first_and_last_line_are_covered(exported: Exported) -> None:
    first = exported.content.index(b"\n")
    last = exported.content.rindex(b'{"end"')
    for position in [*range(0, first, 3), *range(last, len(exported.content), 3)]:
        assert not exported.verify(flipped(exported.content, position)).ok


@pytest.mark.parametrize("number", [0, 1, 7, -1])
def test_a_removed_block_is_named(exported: Exported, number: int) -> None:
    number %= len(exported.blocks)
    verdict = exported.verify_blocks(exported.blocks[:number] + exported.blocks[number + 1 :])
    assert (verdict.ok, verdict.block) == (False, number)


def test_blocks_in_another_order_are_named(exported: Exported) -> None:
    blocks = list(exported.blocks)
    blocks[4], blocks[5] = blocks[5], blocks[4]
    assert exported.verify_blocks(blocks).block == 4


def test_a_block_twice_is_named(exported: Exported) -> None:
    assert exported.verify_blocks([*exported.blocks[:5], *exported.blocks[4:]]).block == 5


def test_a_shorter_export_needs_a_head_from_elsewhere(exported: Exported) -> None:
    last = exported.blocks[-2]
    head = Head(exported.head.number - 1, exported.chain.verify_block(last, self_head(exported, -3)).head.hash, NOW)
    shorter = written(exported.network_id, exported.blocks[:-1], head)
    assert exported.verify(shorter).ok
    known = f"{exported.head.number}:{exported.head.hash}"
    verdict = exported.verify(shorter, head=known)
    assert (verdict.ok, verdict.block) == (False, exported.head.number)


def self_head(exported: Exported, number: int) -> Head:
    head = exported.chain.start
    for block in exported.blocks[1:][: len(exported.blocks) + number]:
        head = exported.chain.verify_block(block, head).head
    return head


def test_a_resigned_block_is_named(exported: Exported) -> None:
    mallory = SoftwareKey(private_key_of("mallory"))
    blocks = list(exported.blocks)
    header = header_of(blocks[6])
    signature = mallory.sign(signed_bytes("block", exported.network_id, header))
    blocks[6] = block_content(header, signature, envelopes_of(blocks[6]))
    verdict = exported.verify_blocks(blocks)
    assert (verdict.ok, verdict.block, verdict.entry) == (False, 6, None)


def test_another_genesis_is_named(exported: Exported) -> None:
    mallory = SoftwareKey(private_key_of("mallory"))
    genesis = json.loads(exported.blocks[0])["genesis"]
    content = VERIFIER.encode({**genesis, "at": genesis["at"] + 1})
    signature = mallory.sign(signed_bytes("genesis", exported.network_id, content))
    forged = b'{"genesis":%b,"signature":"%b"}' % (content, VERIFIER.base64.b64encode(signature))
    assert exported.verify_blocks([forged, *exported.blocks[1:]]).block == 0


@pytest.mark.parametrize("cut", [0.0, 0.001, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_named(exported: Exported, cut: float) -> None:
    position = int(cut * len(exported.content))
    verdict = exported.verify(exported.content[:position])
    assert not verdict.ok
    block, _ = exported.place(position)
    assert block is None or verdict.block in {block, block + 1}


def test_a_file_cut_at_a_line_is_named(exported: Exported) -> None:
    ends = list(newlines(exported.content))
    for position in ends[:-1]:
        verdict = exported.verify(exported.content[: position + 1])
        assert not verdict.ok
        assert verdict.block is not None


def test_what_is_no_export_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"\n", b"\n\n\n", b"{}", b"[" * 100_000, bytes(1000)):
        (tmp_path / "file").write_bytes(content)
        assert not VERIFIER.verify(tmp_path / "file").ok


# A ledger key in the wrong hands: blocks are signed rightly, entries are not


def appended(exported: Exported, *envelopes: bytes, invalid: tuple[int, ...] = ()) -> Any:
    """Verify the export with one more block by the ledger's owner."""
    block, head = forged_block(exported.head, envelopes, exported.network_id, invalid=invalid)
    return exported.verify_blocks([*exported.blocks, block], head)


def entry(exported: Exported, signer: Any, name: str, given: Any, nonce: int = 0, **changed: Any) -> bytes:
    height = exported.head.number
    return signed_envelope(
        exported.network_id, nonce, signer=signer, name=name, arguments=given, height=height, **changed
    )


def test_a_swapped_signature_is_named(exported: Exported) -> None:
    good = entry(exported, CAROL, "RecordVerdict", arguments.verdict(ALICE.subject, "s1", 2))
    other = entry(exported, CAROL, "RecordVerdict", arguments.verdict(ALICE.subject, "s1", 3), 1)
    swapped = re.sub(rb'"signature":"[^"]*"', re.findall(rb'"signature":"[^"]*"', good)[0], other)
    assert appended(exported, good, other).ok
    number = exported.head.number + 1
    verdict = appended(exported, good, swapped)
    assert (verdict.ok, verdict.block, verdict.entry) == (False, number, 1)


def test_entries_swapped_between_blocks_are_named(exported: Exported) -> None:
    blocks = list(exported.blocks)
    one, two = (header_of(blocks[number]) for number in (3, 4))
    signature = [re.findall(rb'"signature":"([^"]*)"', blocks[number])[0] for number in (3, 4)]
    raw = [VERIFIER.base64.b64decode(each) for each in signature]
    blocks[3] = block_content(one, raw[0], envelopes_of(exported.blocks[4]))
    blocks[4] = block_content(two, raw[1], envelopes_of(exported.blocks[3]))
    assert exported.verify_blocks(blocks).block == 3


@pytest.mark.parametrize("change", ["form", "network", "height", "organization", "time", "duplicate", "invalid"])
def test_an_entry_that_may_not_stand_there_is_named(exported: Exported, change: str) -> None:
    given = arguments.verdict(ALICE.subject, "s1", 2)
    good = entry(exported, CAROL, "RecordVerdict", given)
    bad = entry(exported, CAROL, "RecordVerdict", given, 1)
    if change == "form":
        bad = bad.replace(b'"height":', b'"height" :')
    elif change == "network":
        bad = signed_envelope("0" * 64, 1, signer=CAROL, name="RecordVerdict", arguments=given)
    elif change == "height":
        bad = bad.replace(b'{"height":', b'{"height":9')
    elif change == "organization":
        stranger = Hospital("Elm").issue("carol", "practitioner")
        bad = entry(exported, stranger, "RecordVerdict", given, 1)
    elif change == "time":
        bad = entry(exported, CAROL, "RecordVerdict", given, 1, at=NOW + 400 * 86400)
    elif change == "duplicate":
        bad = good
    verdict = appended(exported, good, bad, invalid=(1, 0) if change == "invalid" else ())
    assert not verdict.ok
    assert verdict.block == exported.head.number + 1
    assert verdict.entry == (None if change == "invalid" else 1)


P = ALICE.subject
B = BOB.subject
NEW = arguments.person("Alder", "q" * 26, "practitioner")
WRONG_SIGNERS = [
    ("RegisterOrganization", OLGA, arguments.organization("alder")),
    ("RegisterOrganization", CAROL, arguments.organization("alder")),
    ("EnrolMember", OLGA, arguments.enrolment(NEW)),
    ("EnrolMember", CAROL, arguments.enrolment(NEW)),
    ("EnrolMember", RITA, arguments.enrolment(arguments.person("Alder", CAROL.subject, "practitioner"))),
    ("SuspendMember", CAROL, {"subject": RITA.subject}),
    ("SuspendMember", OSCAR, {"subject": CAROL.subject}),
    ("RegisterPatient", CAROL, {"patient_id": "new", "grantee": "Alder", "key_hash": ""}),
    ("RegisterPatient", REMY, {"patient_id": P, "grantee": "Alder", "key_hash": ""}),
    ("SetPatientKey", VAULT, {"patient_id": P, "key_hash": "0" * 64}),
    ("SetPatientKey", BOB, {"patient_id": P, "key_hash": "0" * 64}),
    ("ErasePatient", RITA, {"patient_id": P}),
    ("RegisterRecords", CAROL, {"patient_id": P}),
    ("EraseRecord", OLGA, {"patient_id": P}),
    ("ProposeConsent", STELLA, {"patient_id": P}),
    ("ProposeConsent", CAROL, {"patient_id": B}),
    ("RejectConsent", CAROL, {"patient_id": P}),
    ("GrantConsent", BOB, {"patient_id": P}),
    ("GrantConsent", CAROL, {"patient_id": P}),
    ("GrantConsent", REMY, {"patient_id": P}),
    ("RevokeConsent", STELLA, {"patient_id": P}),
    ("OpenRecords", STELLA, {"patient_id": P}),
    ("OpenRecords", BOB, {"patient_id": P}),
    ("OpenRecords", RITA, {"patient_id": P}),
    ("OpenRecords", CAROL, {"patient_id": "nobody"}),
    ("OpenRecords", DAN, {"patient_id": P}),
    ("RecordReleases", CAROL, {"items": [{"patient_id": P}]}),
    ("RecordReleases", VAULT, {"items": [{"patient_id": P}, {"patient_id": "nobody"}]}),
    ("RecordPurge", STELLA, {"patient_id": B, "access_ids": ["0" * 64]}),
    ("RecordPurge", VAULT, {"patient_id": B, "access_ids": ["0" * 64]}),
    ("RegisterModel", VAULT, {"model_id": "m"}),
    ("VoteModel", ALICE, {"model_id": "m"}),
    ("RecordSuggestion", CAROL, {"patient_id": P, "access_id": "0" * 64}),
    ("RecordVerdict", STELLA, {"patient_id": P}),
    ("Grab", CAROL, {"patient_id": P}),
    ("EnrolMember", OLGA, {"subject": "q" * 26}),
    ("RecordReleases", VAULT, {"items": 7}),
    ("RecordReleases", VAULT, {"items": [{}]}),
    ("OpenRecords", CAROL, {"patient_id": ["list"]}),
]


@pytest.mark.parametrize(("name", "signer", "given"), WRONG_SIGNERS)
def test_who_may_not_sign_is_named(exported: Exported, name: str, signer: Any, given: dict[str, object]) -> None:
    verdict = appended(exported, entry(exported, signer, name, given))
    assert (verdict.ok, verdict.block, verdict.entry) == (False, exported.head.number + 1, 0)


def test_the_same_subject_with_another_key_is_named(exported: Exported) -> None:
    for seed, role, name in (("alice", "patient", "GrantConsent"), ("carol", "practitioner", "ProposeConsent")):
        twin = ALDER.issue(seed, role, key_seed="mallory")
        assert appended(exported, entry(exported, twin, name, {"patient_id": P})).entry == 0


def test_another_role_in_the_certificate_is_named(exported: Exported) -> None:
    for seed, role in (("carol", "custodian"), ("alice", "practitioner")):
        twin = ALDER.issue(seed, role)
        assert appended(exported, entry(exported, twin, "RegisterRecords", {"patient_id": P})).entry == 0
        assert appended(exported, entry(exported, twin, "GrantConsent", {"patient_id": P})).entry == 0


def test_an_invalid_entry_needs_no_right_and_gives_none(exported: Exported) -> None:
    mallory = arguments.enrolment(arguments.person("Alder", STELLA.subject, "registrar"))
    bad = entry(exported, OLGA, "EnrolMember", {**mallory, "key_hash": STELLA.key_hash})
    assert appended(exported, entry(exported, CAROL, "EnrolMember", mallory), invalid=(0,)).ok
    assert appended(exported, bad).ok
