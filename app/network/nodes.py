"""How each node is started: the program, its settings as Fabric's environment variables, its folders.

What all nodes share stands in ``fabric-network/core.yaml`` and ``orderer.yaml``.
"""

import json
import sys
from pathlib import Path
from typing import Final

from app.network.binaries import SOURCES
from app.network.plan import CHAINCODE, HOST, ORDERER_MSP, Hospital, Orderer
from app.network.processes import Program
from ledger.chaincode.package import package_id
from ledger.chaincode.settings import Settings

_LOGGING: Final = "warning"
"""Fabric's level ``debug`` writes payloads, ``info`` some lines for each block."""

_FORMAT: Final = "%{time:2006-01-02T15:04:05.000Z07:00} %{level} [%{module}] %{message}"
"""Without the colours that Fabric writes into files too."""

_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


class Places:
    """Where the files of a network are.

    Attributes:
        folder: of the whole network.
        running: locks, numbers and logs of its processes.
        genesis: the channel's first block.
        joining: the plan with a hospital that is about to join.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self.running: Final = folder / "running"
        self.genesis: Final = folder / "genesis.block"
        self.joining: Final = folder / "joining"

    def node(self, name: str) -> Path:
        """Return the folder of an orderer or of a hospital's peer and chaincode."""
        return self.folder / name

    def authority(self, msp_id: str) -> Path:
        """Return the folder of an organization's CA."""
        return self.folder / "authorities" / msp_id

    def admin(self, msp_id: str) -> Path:
        """Return the folder of an organization's administrator."""
        return self.folder / "admins" / msp_id

    def profile(self, hospital: Hospital) -> Path:
        """Return the connection profile that a hospital's programs read."""
        return self.folder / "profiles" / f"{hospital.msp_id}.json"


def orderer_program(places: Places, orderer: Orderer, programs: Path) -> Program:
    """Return how an orderer runs."""
    home = places.node(orderer.name)
    tls = home / "tls"
    pair = {"PRIVATEKEY": tls / "key.pem", "CERTIFICATE": tls / "chain.pem"}
    settings = {
        "GENERAL_LISTENPORT": orderer.port,
        "GENERAL_LOCALMSPID": ORDERER_MSP,
        "GENERAL_LOCALMSPDIR": home / "msp",
        "GENERAL_TLS_ROOTCAS": f"[{tls / 'root.pem'}]",
        "GENERAL_CLUSTER_CLIENTCERTIFICATE": tls / "chain.pem",
        "GENERAL_CLUSTER_CLIENTPRIVATEKEY": tls / "key.pem",
        "ADMIN_LISTENADDRESS": f"{HOST}:{orderer.admin_port}",
        "ADMIN_TLS_CLIENTROOTCAS": f"[{tls / 'root.pem'}]",
        "FILELEDGER_LOCATION": home / "ledger",
        "CONSENSUS_WALDIR": home / "raft" / "wal",
        "CONSENSUS_SNAPDIR": home / "raft" / "snapshots",
        **{f"GENERAL_TLS_{name}": path for name, path in pair.items()},
        **{f"ADMIN_TLS_{name}": path for name, path in pair.items()},
    }
    return _fabric(orderer.name, [str(programs / "orderer")], home, {f"ORDERER_{k}": v for k, v in settings.items()})


def peer_program(places: Places, hospital: Hospital, programs: Path) -> Program:
    """Return how a hospital's peer runs."""
    home = places.node(hospital.name)
    tls = home / "tls"
    builder = [{"name": "assent", "path": str(SOURCES / "builder"), "propagateEnvironment": [_CONNECTION]}]
    settings = {
        "PEER_ID": hospital.name,
        "PEER_ADDRESS": hospital.endpoint,
        "PEER_LISTENADDRESS": hospital.endpoint,
        "PEER_CHAINCODELISTENADDRESS": f"{HOST}:0",
        "PEER_GOSSIP_BOOTSTRAP": hospital.endpoint,
        "PEER_GOSSIP_EXTERNALENDPOINT": hospital.endpoint,
        "PEER_LOCALMSPID": hospital.msp_id,
        "PEER_MSPCONFIGPATH": home / "msp",
        "PEER_FILESYSTEMPATH": home / "ledger",
        "LEDGER_SNAPSHOTS_ROOTDIR": home / "snapshots",
        "PEER_TLS_KEY_FILE": tls / "key.pem",
        "PEER_TLS_CERT_FILE": tls / "chain.pem",
        "PEER_TLS_ROOTCERT_FILE": tls / "root.pem",
        "CHAINCODE_EXTERNALBUILDERS": json.dumps(builder),
    }
    environment = {f"CORE_{name}": value for name, value in settings.items()}
    environment[_CONNECTION] = home / "connection.json"
    return _fabric(f"{hospital.name}-peer", [str(programs / "peer"), "node", "start"], home, environment)


def chaincode_program(places: Places, hospital: Hospital) -> Program:
    """Return how a hospital's chaincode runs, after writing its settings."""
    home = places.node(hospital.name)
    settings = Settings(
        package_id=package_id(),
        address=f"{HOST}:{hospital.chaincode_port}",
        key=str(home / "chaincode" / "key.pem"),
        certificate=str(home / "chaincode" / "cert.pem"),
        peer_certificate=str(home / "chaincode-peer" / "cert.pem"),
    )
    path = _settings(places, hospital)
    path.write_text(settings.to_json(), encoding="utf-8")
    # -I: neither the folder it runs in nor PYTHON… variables can put other code before ours.
    command = [sys.executable, "-I", "-m", "ledger.chaincode", str(path)]
    return Program(f"{hospital.name}-{CHAINCODE}", command, {"PATH": _PATH, "PYTHONDONTWRITEBYTECODE": "1"}, home)


def runs_other_contract(places: Places, hospital: Hospital) -> bool:
    """Tell whether a hospital's chaincode was started with another contract than that of these sources."""
    path = _settings(places, hospital)
    return path.exists() and Settings.from_json(path.read_text(encoding="utf-8")).package_id != package_id()


def write_connection(places: Places, hospital: Hospital) -> None:
    """Write for the peer where its chaincode is, whose certificate it shows there, and whom it expects."""
    home = places.node(hospital.name)
    pem = {
        field: (home / part).read_text(encoding="ascii")
        for field, part in (
            ("client_key", "chaincode-peer/key.pem"),
            ("client_cert", "chaincode-peer/cert.pem"),
            ("root_cert", "chaincode/cert.pem"),
        )
    }
    connection = {
        "address": f"{HOST}:{hospital.chaincode_port}",
        "dial_timeout": "3s",
        "tls_required": True,
        "client_auth_required": True,
        **pem,
    }
    path = home / "connection.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(connection), encoding="utf-8")


_CONNECTION: Final = "ASSENT_CHAINCODE_CONNECTION"


def _settings(places: Places, hospital: Hospital) -> Path:
    return places.node(hospital.name) / "chaincode.json"


def _fabric(name: str, command: list[str], home: Path, settings: dict[str, object]) -> Program:
    shared = {
        "FABRIC_CFG_PATH": SOURCES,
        "FABRIC_LOGGING_SPEC": _LOGGING,
        "FABRIC_LOGGING_FORMAT": _FORMAT,
        "PATH": _PATH,
        "TMPDIR": home,
    }
    environment = {key: str(value) for key, value in {**shared, **settings}.items()}
    return Program(name, command, environment, home)
