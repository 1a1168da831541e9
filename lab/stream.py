"""A long download that shows whether anybody was dropped."""

import threading

from lab.channel import Channel
from lab.errors import LabError
from lab.waiting import PATIENCE, wait_until


class Stream:
    """A download in progress; a thread of its own takes the bytes in."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._thread = threading.Thread(target=self._take, daemon=True)
        self.received = 0
        """Payload bytes so far."""
        self.error = ""
        """Why it ended before it was closed; empty while it goes on."""
        self._closing = False
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Return whether it goes on."""
        return self._thread.is_alive()

    @property
    def carried(self) -> int:
        """Return what the proxy carried for it so far, downwards."""
        return self._channel.received

    def wait_for(self, more: int, *, seconds: float = PATIENCE) -> None:
        """Return when *more* bytes have come from now on; LabError if it was dropped."""
        wanted = self.received + more
        wait_until(lambda: self._has(wanted), f"{more} more bytes of the stream", seconds=seconds)

    def close(self) -> None:
        """Hang up."""
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
