"""Which diagnostic models are here, and which of them the hospitals approve (feature D8)."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from app.services.entries import integer, objects, strings
from app.services.machine import Machine

FOLDER: Final = Path(__file__).resolve().parents[2] / "resources" / "models"


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A model that ships with this program.

    Attributes:
        model_id: on the ledger; it says nothing of what the model judges (ATTACKS.md A20).
        name: of its folder.
        model_hash: of its manifest, as the ledger registers it.
        folder: its files; nothing of them is read before the hash is approved.
    """

    model_id: str
    name: str
    model_hash: str
    folder: Path


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What the ledger says of a model.

    Attributes:
        model_id: on the ledger.
        status: ``proposed``, ``approved``, ``suspended``, or empty if it is not registered.
        approved_by: names of the hospitals whose vote is an approval.
        epoch: of the registry.
    """

    model_id: str
    status: str
    approved_by: tuple[str, ...]
    epoch: int


@cache
def bundled_models() -> tuple[BundledModel, ...]:
    """Return the models of this program, by id."""
    folders = sorted(path for path in FOLDER.iterdir() if path.is_dir())
    hashes = [sha256((folder / "manifest.json").read_bytes()).hexdigest() for folder in folders]
    return tuple(
        BundledModel(f"m{model_hash[:24]}", folder.name, model_hash, folder)
        for model_hash, folder in zip(hashes, folders, strict=True)
    )


def approved_hashes(machine: Machine) -> frozenset[str]:
    """Return the hashes that the verified ledger approves now."""
    registry = machine.find("registry")
    found = [] if registry is None else [machine.find("model", name) for name in strings(registry["approved"])]
    return frozenset(str(model["model_hash"]) for model in found if model is not None)


def status_of(machine: Machine, model_id: str) -> ModelStatus:
    """Return what the verified ledger says of a model."""
    registry, model = machine.find("registry"), machine.find("model", model_id)
    epoch = 0 if registry is None else integer(registry["epoch"])
    if model is None:
        return ModelStatus(model_id, "", (), epoch)
    votes = [str(vote["msp_id"]) for vote in objects(model["votes"]) if vote["vote"] == "approve"]
    names = tuple(machine.hospitals.get(msp_id, msp_id) for msp_id in votes)
    return ModelStatus(model_id, str(model["status"]), names, epoch)
