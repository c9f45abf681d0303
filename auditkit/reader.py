"""One of several processes that read: `python -m auditkit.reader FD`, started by `readers` with its end of a pipe."""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection

from auditkit.batches import READY, Answer, Asked, Batch, Chunk, Files, Setting
from auditkit.errors import AuditkitError
from auditkit.logs.sources import Sources


class Reader:
    """Reads the batches that come over *connection*, until it is closed."""

    def __init__(self, connection: Connection, setting: Setting) -> None:
        self._connection, self._setting = connection, setting
        self._batches: queue.SimpleQueue[tuple[int, Files]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._unwritten: tuple[Batch, Chunk] | None = None
        connection.send(READY)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Take what comes as it comes, so that neither side ever waits for the other to stop talking."""
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # the store's owner is gone: nobody would put into the ledger what is written now
            if isinstance(message, Answer):
                self._answers.put(message)
            else:
                self._batches.put(message)

    def run(self) -> None:
        """Read batches for as long as there is somebody to give them."""
        with Sources() as sources:
            following = self._next()
            while True:
                number, files = following or self._batches.get()
                following = None
                sources.prefetch(files)
                batch = Batch(self._setting, files)
                for chunk in batch.chunks(sources.of):
                    self._connection.send(Asked(number, chunk.question, chunk.is_last))
                    self._write()
                    self._unwritten = (batch, chunk)
                following = self._next()
                if following is None:
                    self._write()
                else:
                    sources.prefetch(following[1])

    def _next(self) -> tuple[int, Files] | None:
        """The next batch, if one has come."""
        try:
            return self._batches.get_nowait()
        except queue.Empty:
            return None

    def _write(self) -> None:
        """What has waited for its answer."""
        if self._unwritten is None:
            return
        (batch, chunk), self._unwritten = self._unwritten, None
        batch.write(chunk, self._answers.get())
        if chunk.is_last:
            self._connection.send(batch.done())


def serve(descriptor: int) -> None:
    gc.disable()  # see ingest: records have no cycles
    connection = Connection(descriptor)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the store's owner is gone, and nobody listens
        setting: Setting = connection.recv()
        try:
            Reader(connection, setting).run()
        except AuditkitError as error:
            connection.send(error)
        except MemoryError:
            os._exit(1)  # which file was too much shows when they are read one at a time
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception:  # a mistake of ours: it belongs in the traceback of whoever started this
            connection.send(RuntimeError(traceback.format_exc()))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
