"""The channel's first block: who belongs to it, who may do what, how blocks are cut (Fabric's configtxgen).

Everything here is also what a later change of the configuration is made of, such as a new hospital.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2, msp_principal_pb2
from fabric_protos.orderer import configuration_pb2 as ordering_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as raft_pb2
from fabric_protos.peer import configuration_pb2 as peering_pb2

from app.identity.certificates import Branch, HospitalAuthority
from app.network.identities import to_pem
from app.network.plan import CHANNEL, HOST, ORDERER_MSP, Hospital, Orderer, Plan
from ledger.fabric.proposals import NONCE_BYTES, channel_header_of

APPLICATION: Final = "Application"
"""The group of the hospitals."""

MSP: Final = "MSP"
"""The value that holds an organization's CAs."""

_ADMINS: Final = "Admins"
_MEGABYTE: Final = 1 << 20
_CAPABILITY: Final = "V2_0"
"""What the nodes of a channel must understand, for its orderers and hospitals."""

BATCH_TIMEOUT: Final = "200ms"
"""Default 2 s. It is the largest part of the wait for an entry, and entries are few."""

_ANY, _MAJORITY = policies_pb2.ImplicitMetaPolicy.ANY, policies_pb2.ImplicitMetaPolicy.MAJORITY
_ROLES: Final = {
    role: msp_principal_pb2.MSPRole.MSPRoleType.Value(role.upper()) for role in ("admin", "peer", "client", "orderer")
}


def genesis_block(
    plan: Plan, authorities: Mapping[str, HospitalAuthority], consenters: Sequence[bytes], major: int
) -> Any:
    """Return the first block of the channel.

    Args:
        plan: the nodes.
        authorities: by msp_id, of hospitals and orderers.
        consenters: the orderers' TLS certificates, DER, in the plan's order.
        major: of the nodes' release; the channel itself asks for what that introduced (``V3_0`` of 3.x).
    """
    channel = _group(readers=_meta(_ANY, "Readers"), writers=_meta(_ANY, "Writers"), admins=_meta(_MAJORITY, _ADMINS))
    _set(channel, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    _set(channel, "BlockDataHashingStructure", configuration_pb2.BlockDataHashingStructure(width=(1 << 32) - 1))
    _set(channel, "Capabilities", _capabilities(f"V{major}_0"))
    channel.groups["Orderer"].CopyFrom(_orderer_group(plan.orderers, authorities[ORDERER_MSP], consenters))
    channel.groups[APPLICATION].CopyFrom(_application_group(plan.hospitals, authorities))
    header = channel_header_of(common_pb2.CONFIG, CHANNEL, "", plan.created_at)
    header.version = 1
    signature_header = common_pb2.SignatureHeader(nonce=bytes(NONCE_BYTES))
    header.tx_id = hashlib.sha256(signature_header.nonce).hexdigest()
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=header.SerializeToString(), signature_header=signature_header.SerializeToString()
        ),
        data=configtx_pb2.ConfigEnvelope(config=configtx_pb2.Config(channel_group=channel)).SerializeToString(),
    )
    content = common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString()
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=0, data_hash=hashlib.sha256(content).digest()),
        data=common_pb2.BlockData(data=[content]),
        metadata=common_pb2.BlockMetadata(metadata=_first_metadata()),
    )


def hospital_group(hospital: Hospital, authority: HospitalAuthority) -> Any:
    """Return a hospital's part of the configuration: its CAs, its policies, and where gossip finds its peer."""
    msp_id = hospital.msp_id
    group = _group(
        readers=_roles(msp_id, "admin", "peer", "client"),
        writers=_roles(msp_id, "admin", "client"),
        admins=_roles(msp_id, "admin"),
        Endorsement=_roles(msp_id, "peer"),
    )
    _set(group, MSP, msp_config(authority))
    anchor = peering_pb2.AnchorPeer(host=HOST, port=hospital.port)
    _set(group, "AnchorPeers", peering_pb2.AnchorPeers(anchor_peers=[anchor]))
    return group


def msp_config(authority: HospitalAuthority) -> Any:
    """Return what the channel believes of an organization: its CAs, and units that tell what a key is for."""
    units = {
        f"{unit}_ou_identifier": msp_config_pb2.FabricOUIdentifier(organizational_unit_identifier=unit)
        for unit in _ROLES
    }
    fabric = msp_config_pb2.FabricMSPConfig(
        name=authority.msp_id,
        root_certs=[to_pem(authority.root)],
        intermediate_certs=[to_pem(authority.branches[branch]) for branch in (Branch.PEOPLE, Branch.PATIENTS)],
        tls_root_certs=[to_pem(authority.root)],
        tls_intermediate_certs=[to_pem(authority.branches[Branch.TLS])],
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        fabric_node_ous=msp_config_pb2.FabricNodeOUs(enable=True, **units),
    )
    return msp_config_pb2.MSPConfig(type=0, config=fabric.SerializeToString())


def _orderer_group(orderers: Sequence[Orderer], authority: HospitalAuthority, consenters: Sequence[bytes]) -> Any:
    group = _group(readers=_meta(_ANY, "Readers"), writers=_meta(_ANY, "Writers"), admins=_meta(_MAJORITY, _ADMINS))
    group.policies["BlockValidation"].CopyFrom(_policy(*_meta(_ANY, "Writers")))
    sizes = ordering_pb2.BatchSize(
        max_message_count=500,
        absolute_max_bytes=8 * _MEGABYTE,  # a peer takes messages of 16 MB (core.yaml)
        preferred_max_bytes=4 * _MEGABYTE,
    )
    _set(group, "BatchSize", sizes)
    _set(group, "BatchTimeout", ordering_pb2.BatchTimeout(timeout=BATCH_TIMEOUT))
    _set(group, "ChannelRestrictions", ordering_pb2.ChannelRestrictions())
    _set(group, "Capabilities", _capabilities())
    nodes = [
        raft_pb2.Consenter(host=HOST, port=orderer.port, client_tls_cert=to_pem(tls), server_tls_cert=to_pem(tls))
        for orderer, tls in zip(orderers, consenters, strict=True)
    ]
    options = raft_pb2.Options(
        tick_interval="100ms",  # default 500 ms; a new leader in 1 to 2 s instead of 5 to 10
        election_tick=10,
        heartbeat_tick=1,
        max_inflight_blocks=5,
        # Default 16 MB. Fabric 2.5.0 can hang for ever when orderers restart on a raft log that grew over
        # preferred_max_bytes since the last snapshot; with this it did not once in 16 times.
        snapshot_interval_size=_MEGABYTE,
    )
    metadata = raft_pb2.ConfigMetadata(consenters=nodes, options=options)
    _set(group, "ConsensusType", ordering_pb2.ConsensusType(type="etcdraft", metadata=metadata.SerializeToString()))
    organization = _group(
        readers=_roles(ORDERER_MSP, "admin", "orderer", "client"),
        writers=_roles(ORDERER_MSP, "admin", "orderer", "client"),
        admins=_roles(ORDERER_MSP, "admin"),
    )
    _set(organization, MSP, msp_config(authority))
    endpoints = configuration_pb2.OrdererAddresses(addresses=[f"{HOST}:{orderer.port}" for orderer in orderers])
    _set(organization, "Endpoints", endpoints)
    group.groups[ORDERER_MSP].CopyFrom(organization)
    return group


def _application_group(hospitals: Sequence[Hospital], authorities: Mapping[str, HospitalAuthority]) -> Any:
    group = _group(
        readers=_meta(_ANY, "Readers"),
        writers=_meta(_ANY, "Writers"),
        admins=_meta(_MAJORITY, _ADMINS),
        LifecycleEndorsement=_meta(_MAJORITY, "Endorsement"),
        Endorsement=_meta(_MAJORITY, "Endorsement"),
    )
    _set(group, "Capabilities", _capabilities())
    for hospital in hospitals:
        group.groups[hospital.msp_id].CopyFrom(hospital_group(hospital, authorities[hospital.msp_id]))
    return group


Policy = tuple[int, bytes]
"""Kind and serialized rule."""


def _group(readers: Policy, writers: Policy, admins: Policy, **others: Policy) -> Any:
    group = configtx_pb2.ConfigGroup(mod_policy=_ADMINS)
    for name, policy in {"Readers": readers, "Writers": writers, _ADMINS: admins, **others}.items():
        group.policies[name].CopyFrom(_policy(*policy))
    return group


def _set(group: Any, name: str, value: Any) -> None:
    group.values[name].CopyFrom(configtx_pb2.ConfigValue(value=value.SerializeToString(), mod_policy=_ADMINS))


def _policy(kind: int, rule: bytes) -> Any:
    return configtx_pb2.ConfigPolicy(policy=policies_pb2.Policy(type=kind, value=rule), mod_policy=_ADMINS)


def _meta(rule: int, name: str) -> Policy:
    """So many of the organizations' own policies of this name."""
    meta = policies_pb2.ImplicitMetaPolicy(rule=rule, sub_policy=name)
    return policies_pb2.Policy.IMPLICIT_META, bytes(meta.SerializeToString())


def _roles(msp_id: str, *roles: str) -> Policy:
    """One signature of any of these roles of an organization."""
    identities = [
        msp_principal_pb2.MSPPrincipal(
            principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
            principal=msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=_ROLES[role]).SerializeToString(),
        )
        for role in roles
    ]
    one_of = policies_pb2.SignaturePolicy.NOutOf(
        n=1, rules=[policies_pb2.SignaturePolicy(signed_by=number) for number in range(len(roles))]
    )
    rule = policies_pb2.SignaturePolicyEnvelope(
        rule=policies_pb2.SignaturePolicy(n_out_of=one_of), identities=identities
    )
    return policies_pb2.Policy.SIGNATURE, bytes(rule.SerializeToString())


def _capabilities(name: str = _CAPABILITY) -> Any:
    return configuration_pb2.Capabilities(capabilities={name: configuration_pb2.Capability()})


def _first_metadata() -> list[bytes]:
    """Return the five places of a block's metadata; the first block is signed by nobody."""
    last = common_pb2.LastConfig(index=0)
    signatures = common_pb2.OrdererBlockMetadata(last_config=last).SerializeToString()
    return [
        common_pb2.Metadata(value=signatures).SerializeToString(),
        common_pb2.Metadata(value=last.SerializeToString()).SerializeToString(),
        b"",
        b"",
        b"",
    ]
