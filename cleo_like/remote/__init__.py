"""Other programs at the rig: a served cell, and a controller in another process.

Needs pyzmq (``pip install cleo_like[serve]``). The message is described in `message`.
"""

from cleo_like.remote.client import RemoteCell, RemoteError
from cleo_like.remote.external import ExternalProcessor
from cleo_like.remote.message import VERSION, Kind, Message, MessageError
from cleo_like.remote.server import CellServer

__all__ = [
    "VERSION", "CellServer", "ExternalProcessor", "Kind", "Message", "MessageError",
    "RemoteCell", "RemoteError",
]  # fmt: skip
