"""Other programs at the rig: a served cell, and a controller in another process.

The message is described in `message`; other programs take any ZeroMQ (in Python pyzmq,
``pip install cleo_like[serve]``), which this side does not need.
"""

from cleo_like.remote.client import RemoteCell
from cleo_like.remote.external import ExternalProcessor
from cleo_like.remote.link import RemoteError
from cleo_like.remote.message import VERSION, Kind, Message, MessageError
from cleo_like.remote.server import CellServer

__all__ = [
    "VERSION", "CellServer", "ExternalProcessor", "Kind", "Message", "MessageError",
    "RemoteCell", "RemoteError",
]  # fmt: skip
