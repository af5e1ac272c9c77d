"""Change the configuration of a running channel: what it is, what it shall be, and the update between the two.

An update names the version of everything that it reads and one more for everything that it writes, so that two changes
at once do not overwrite each other (Fabric's ``configtxlator compute_update``).
"""

from typing import Any, Final

from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.msp import msp_config_pb2

from app.network.channel import APPLICATION, MSP
from app.network.plan import NetworkError

_KINDS: Final = ("values", "policies")


def config_of(untrusted_block: bytes) -> Any:
    """Return the configuration in a config block.

    Raises:
        NetworkError: it is no config block.
    """
    block = common_pb2.Block.FromString(untrusted_block)
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    if header.type != common_pb2.CONFIG:
        raise NetworkError("the peer handed out a block that is no configuration")
    return configtx_pb2.ConfigEnvelope.FromString(payload.data).config


def with_hospital(config: Any, msp_id: str, group: Any) -> Any:
    """Return the channel's configuration with one more hospital."""
    changed = configtx_pb2.ConfigGroup.FromString(config.channel_group.SerializeToString())
    changed.groups[APPLICATION].groups[msp_id].CopyFrom(group)
    return changed


def with_revocations(config: Any, msp_id: str, revocations: bytes) -> Any:
    """Return the channel's configuration in which a hospital's revocation list (CRL, PEM) is this one."""
    changed = configtx_pb2.ConfigGroup.FromString(config.channel_group.SerializeToString())
    value = changed.groups[APPLICATION].groups[msp_id].values[MSP]
    msp = msp_config_pb2.MSPConfig.FromString(value.value)
    fabric = msp_config_pb2.FabricMSPConfig.FromString(msp.config)
    fabric.revocation_list[:] = [revocations]
    msp.config = fabric.SerializeToString()
    value.value = msp.SerializeToString()
    return changed


def update_between(channel_name: str, config: Any, changed: Any) -> bytes:
    """Return the update (``ConfigUpdate``) that makes ``changed`` of the configuration, empty without a difference."""
    read, write = configtx_pb2.ConfigGroup(), configtx_pb2.ConfigGroup()
    if not _difference(config.channel_group, changed, read, write):
        return b""
    update = configtx_pb2.ConfigUpdate(channel_id=channel_name, read_set=read, write_set=write)
    return bytes(update.SerializeToString())


def _difference(old: Any, new: Any, read: Any, write: Any) -> bool:
    """Fill in what an update of a group reads and writes; return whether there is a difference."""
    read.version = write.version = old.version
    same = [(kind, name) for kind in _KINDS for name in getattr(old, kind) if _is_same(old, new, kind, name)]
    changed = [(kind, name) for kind in _KINDS for name in getattr(new, kind) if (kind, name) not in same]
    for kind, name in changed:
        known = name in getattr(old, kind)
        getattr(write, kind)[name].CopyFrom(getattr(new, kind)[name])
        getattr(write, kind)[name].version = getattr(old, kind)[name].version + 1 if known else 0
    inside = False
    for name in new.groups:
        if name not in old.groups:
            write.groups[name].CopyFrom(new.groups[name])
        elif _difference(old.groups[name], new.groups[name], read.groups[name], write.groups[name]):
            inside = True
        else:
            same.append(("groups", name))
            del read.groups[name], write.groups[name]
    members = {kind: set(getattr(old, kind)) != set(getattr(new, kind)) for kind in (*_KINDS, "groups")}
    if any(members.values()) or old.mod_policy != new.mod_policy:
        # Who changes the members of a group names all of them.
        write.version = old.version + 1
        write.mod_policy = new.mod_policy
        for kind, name in same:
            getattr(read, kind)[name].version = getattr(write, kind)[name].version = getattr(old, kind)[name].version
        return True
    return bool(changed) or inside


def _is_same(old: Any, new: Any, kind: str, name: str) -> bool:
    """Tell whether a value or policy is in both groups and alike, its version aside."""
    if name not in getattr(new, kind):
        return False
    before, after = getattr(old, kind)[name], getattr(new, kind)[name]
    content = "value" if kind == "values" else "policy"
    return bool(getattr(before, content) == getattr(after, content) and before.mod_policy == after.mod_policy)
