"""A long download, which shows whether a connection was dropped."""

import threading

from lab.channel import Channel
from lab.errors import LabError
from lab.waiting import PATIENCE, wait_until


class Stream:
    """A running download. A thread of its own receives the bytes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._thread = threading.Thread(target=self._take, daemon=True)
        self.received = 0
        """The payload bytes received so far."""
        self.error = ""
        """The reason of an early end; empty while the download runs."""
        self._closing = False
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Return whether the download still runs."""
        return self._thread.is_alive()

    @property
    def carried(self) -> int:
        """Return the bytes that the proxy carried for it so far, downlink only."""
        return self._channel.received

    def wait_for(self, more: int, *, seconds: float = PATIENCE) -> None:
        """Wait for *more* bytes from now on; LabError if the download was dropped."""
        wanted = self.received + more
        wait_until(lambda: self._has(wanted), f"{more} more bytes of the stream", seconds=seconds)

    def close(self) -> None:
        """Close the connection."""
        self._closing = True
        self._channel.close()
        self._thread.join()

    def _has(self, wanted: int) -> bool:
        if self.received < wanted and not self.alive:
            raise LabError(f"the stream was dropped after {self.received} bytes: {self.error}")
        return self.received >= wanted

    def _take(self) -> None:
        try:
            while data := self._channel.receive():
                self.received += len(data)
            reason = "the other side ended it"
        except OSError as error:
            reason = str(error)
        if not self._closing:
            self.error = reason
