"""What a network is made of before anything runs: keys, the channel's first block, connection profiles."""

from collections.abc import Mapping
from pathlib import Path

from fabric_protos.common import common_pb2

from app.identity.certificates import HospitalAuthority, NodeKind
from app.identity.keys import Random
from app.network import identities
from app.network.channel import genesis_block
from app.network.nodes import Places, write_connection
from app.network.plan import CHAINCODE, CHANNEL, ORDERER_MSP, Hospital, Plan
from ledger.fabric.headers import block_hash
from ledger.fabric.profile import ConnectionProfile, PeerAddress


def found(places: Places, plan: Plan, own: Mapping[str, HospitalAuthority], random: Random, major: int) -> None:
    """Give every node its keys, write the first block and the profiles; the plan comes last.

    Args:
        places: where it all goes.
        plan: the nodes.
        own: authorities of hospitals that bring their own, by msp_id.
        random: for serials.
        major: of the nodes' release.
    """
    orderers = HospitalAuthority.create(ORDERER_MSP, plan.created_at, random)
    _write_organization(places, orderers, plan.created_at)
    for orderer in plan.orderers:
        folder = places.node(orderer.name)
        identities.write_node(folder, orderers, orderer.name, NodeKind.ORDERER, plan.created_at)
    authorities = {ORDERER_MSP: orderers}
    for hospital in plan.hospitals:
        msp_id = hospital.msp_id
        authorities[msp_id] = own.get(msp_id) or HospitalAuthority.create(msp_id, plan.created_at, random)
        write_hospital(places, hospital, authorities[msp_id], plan.created_at)
    tls = [identities.read_certificate(places.node(each.name) / "tls" / "cert.pem") for each in plan.orderers]
    places.genesis.write_bytes(genesis_block(plan, authorities, tls, major).SerializeToString())
    write_profiles(places, plan)
    plan.write(places.folder)


def write_hospital(places: Places, hospital: Hospital, authority: HospitalAuthority, now: int) -> None:
    """Give a hospital's administrator, peer and chaincode their keys."""
    _write_organization(places, authority, now)
    folder = places.node(hospital.name)
    identities.write_node(folder, authority, hospital.name, NodeKind.PEER, now)
    identities.write_pinned(folder / "chaincode", now)
    identities.write_pinned(folder / "chaincode-peer", now)
    write_connection(places, hospital)


def write_profiles(places: Places, plan: Plan) -> None:
    """Write for every hospital how its programs reach the channel: by its own peer, or by another hospital's."""
    network_id = network_id_of(places.genesis)
    addresses = [PeerAddress(each.msp_id, each.endpoint, _root(places, each.msp_id)) for each in plan.hospitals]
    for hospital, own in zip(plan.hospitals, addresses, strict=True):
        others = [each for each in addresses if each is not own]
        profile = ConnectionProfile(hospital.msp_id, CHANNEL, CHAINCODE, network_id, (own, *others))
        path = places.profile(hospital)
        path.parent.mkdir(exist_ok=True)
        path.write_text(profile.to_json(), encoding="utf-8")


def network_id_of(genesis: Path) -> str:
    """Return what names the channel: the hash of its first block, lower-case hex."""
    header = common_pb2.Block.FromString(genesis.read_bytes()).header
    return block_hash(header.number, header.previous_hash, header.data_hash).hex()


def _write_organization(places: Places, authority: HospitalAuthority, now: int) -> None:
    identities.write_authority(places.authority(authority.msp_id), authority)
    identities.write_admin(places.admin(authority.msp_id), authority, "admin", now)


def _root(places: Places, msp_id: str) -> str:
    return (places.authority(msp_id) / "root.pem").read_text(encoding="ascii")
