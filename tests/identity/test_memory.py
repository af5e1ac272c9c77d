"""What is left of keys in a process, in core files and for other processes (HOSTILE.md 31), tried in children."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from app.identity.certificates import HospitalAuthority, Role
from app.identity.installation import MasterKeys
from app.identity.keys import MasterKey
from app.identity.profiles import Profile, ProfileFolder
from ledger.signatures import spki
from tests.support.certificates import NOW, private_key_of, subject_of
from tests.support.stretching import FAST

REPOSITORY = Path(__file__).parents[2]

HARDENED = """
import json, os, resource, subprocess, sys
from app.identity.hardening import harden_process
before = os.stat("/proc/self/environ").st_uid, resource.getrlimit(resource.RLIMIT_CORE)
granted = harden_process()
import ctypes
print(json.dumps({
    "no_core_files": granted.no_core_files,
    "not_traceable": granted.not_traceable,
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
}))
"""

CRASH = """
import ctypes
from app.identity.hardening import harden_process
harden_process()
ctypes.string_at(0)
"""

LOCKED = """
import gc, json, sys
from pathlib import Path
from app.identity.installation import MasterKeys
from app.identity.keys import MasterKey
from app.identity.profiles import ProfileFolder
from tests.support.stretching import FAST

folder, profile_id, mask = Path(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
hidden = {name: bytes.fromhex(value) for name, value in json.loads(sys.argv[4]).items()}

def found(order):
    # A needle in the open would find itself: it exists only as bytes compared one window at a time.
    counts = dict.fromkeys(hidden, 0)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights = line.split()[:2]
        if not rights.startswith("rw") or "[v" in line:
            continue
        start, end = (int(part, 16) for part in span.split("-"))
        with open("/proc/self/mem", "rb", 0) as memory:
            memory.seek(start)
            content = bytearray()
            while len(content) < end - start and (chunk := memory.read(end - start - len(content))):
                content += chunk
        for name, value in hidden.items():
            first = value[::order][0] ^ mask[::order][0]
            second = value[::order][1] ^ mask[::order][1]
            position = content.find(bytes([first, second]))
            while position >= 0:
                window = content[position:position + 32]
                if len(window) == 32 and all(a ^ b == c for a, b, c in zip(window, mask[::order], value[::order])):
                    counts[name] += 1
                window[:] = bytes(len(window))
                position = content.find(bytes([first, second]), position + 1)
        content[:] = bytes(len(content))
    return counts

secret = bytearray(a ^ b for a, b in zip(hidden["master"], mask))
master = MasterKey(secret)
secret[:] = bytes(32)
keys = MasterKeys(master)
identity = ProfileFolder(folder, FAST).unlock(profile_id, "24681012", keys)
identity.sign(b"message")
gc.collect()
unlocked = found(1), found(-1)
identity.lock()
keys.lock()
gc.collect()
print(json.dumps({"unlocked": unlocked, "locked": (found(1), found(-1))}))
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_hardened_process_leaves_no_core_and_cannot_be_traced() -> None:
    done = run(HARDENED)
    assert json.loads(done.stdout) == {"no_core_files": True, "not_traceable": True, "core": [0, 0], "dumpable": 0}


def test_a_crash_of_a_hardened_process_dumps_no_core() -> None:
    done = run(CRASH)
    assert done.returncode == -11


def test_no_copy_of_a_key_is_in_memory_after_locking(tmp_path: Path) -> None:
    master = MasterKey(os.urandom(32))
    secret = base64.b64decode(master.to_text())
    key = private_key_of("carol")
    certificate = HospitalAuthority.create("AlderMSP", NOW).issue(
        spki(key.public_key()), subject_of("carol"), Role.PRACTITIONER, NOW
    )
    profile = Profile("Carol Fictive", "practitioner", "Alder", "AlderMSP", subject_of("carol"), certificate)
    ProfileFolder(tmp_path, FAST).add(profile, key, "24681012", MasterKeys(master))
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    mask = os.urandom(32)
    hidden = {
        name: bytes(a ^ b for a, b in zip(value, mask, strict=True)).hex()
        for name, value in {"master": secret, "scalar": scalar}.items()
    }
    done = run(LOCKED, str(tmp_path), profile.profile_id, mask.hex(), json.dumps(hidden))
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["unlocked"][0]["scalar"] + counts["unlocked"][1]["scalar"] > 0
    assert counts["unlocked"][0]["master"] > 0
    assert counts["locked"] == [{"master": 0, "scalar": 0}] * 2
