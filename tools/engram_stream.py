"""Lets a tool end its work when the reader of its output has gone, as in `status.py | head -1`."""

import io
import os
import sys


class _PatientFile(io.FileIO):
    """A descriptor that is written to; what comes after the reader has gone is dropped."""

    def write(self, data):
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            # Programs that the tool starts write there, too.
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def _patient(stream):
    """A text stream to the same descriptor that does not mind a closed pipe."""
    stream.flush()
    raw = _PatientFile(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors,
                            line_buffering=stream.line_buffering)


def bear_closed_pipes():
    """Output and messages that nobody reads any more are dropped; the work goes on."""
    sys.stdout = sys.stdout and _patient(sys.stdout)
    sys.stderr = sys.stderr and _patient(sys.stderr)
