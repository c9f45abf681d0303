"""Batches of files read here, or in several processes: Python reads no faster in threads.

A reader reads a batch, asks which of its events are new, goes on with the next batch while it waits, and writes the
first when it has the answer. Questions are answered in the order of the batches, whichever reader is quicker, so the
same logs give the same store.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any

from auditkit.batches import READY, Answer, Asked, Batch, Done, Files, Question, Setting
from auditkit.logs.sources import Sources

_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # NumPy starts a thread for each processor, and nothing here is algebra
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # gives back what it no longer needs, and costs nothing here
}
Judge = Callable[[int, Question], Answer]  # takes the number of the batch, too


class ReaderDiedError(Exception):
    """A reader ended in the midst of its batches: killed, out of memory, or brought down by a file.

    One that never began had no file in its hands: on this machine, or in this program, there can be no readers.
    """

    def __init__(self, batches: Sequence[int], ending: str, *, has_begun: bool) -> None:
        super().__init__(f"a reading process ended ({ending})")
        self.batches, self.has_begun = batches, has_begun


def read_here(batches: Sequence[Files], setting: Setting, judge: Judge) -> Generator[Done]:
    """What became of each batch, in order."""
    with Sources() as sources:
        for number, files in enumerate(batches):
            sources.prefetch(files)
            batch = Batch(setting, files)
            for chunk in batch.chunks(sources.of):
                batch.write(chunk, judge(number, chunk.question))
            yield batch.done()


def read_in_processes(
    batches: Sequence[Files], setting: Setting, judge: Judge, *, processes: int, ahead: int = 2
) -> Generator[Done]:
    """The same from several readers at once, in the same order.

    Each has *ahead* batches at most: one in hand, and one whose files can be fetched meanwhile.

    Raises: ReaderDiedError, when one ends early; what it was reading is not in any Done.
    """
    waiting = deque(enumerate(batches))
    readers: list[_Process] = []
    asked: dict[int, deque[Asked]] = {}
    done: dict[int, Done] = {}
    judged = given = 0
    try:
        for _ in range(min(processes, len(batches))):
            readers.append(_Process(setting))
        for _ in range(ahead):
            for reader in readers:
                reader.give(waiting)
        while given < len(batches):
            wait([reader.connection for reader in readers])
            for reader in [reader for reader in readers if reader.connection.poll()]:
                message = reader.receive()
                if message == READY:
                    continue
                if isinstance(message, Asked):
                    asked.setdefault(message.batch, deque()).append(message)
                    owners = {batch: owner for owner in readers for batch in owner.batches}
                    while asked.get(judged):
                        question = asked[judged].popleft()
                        owners[judged].send(judge(judged, question.question))
                        judged += question.is_last
                else:
                    done[reader.batches.popleft()] = message
                    reader.give(waiting)
            while given in done:
                yield done.pop(given)
                given += 1
    finally:
        for reader in readers:
            reader.stop()


class _Process:
    """A reader, seen from the store's owner."""

    def __init__(self, setting: Setting) -> None:
        self.connection, theirs = Pipe()
        self.batches: deque[int] = deque()
        self._has_begun = False
        try:
            with theirs, _interrupts_held_back():
                # not multiprocessing.Process, which imports the caller's main module again and runs what stands there;
                # and -P, since the folder this is run in may be one of logs, with whatever modules lie in it
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "auditkit.reader", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=os.environ
                    | _ENVIRONMENT
                    | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
                )
        except OSError as error:
            raise ReaderDiedError([], str(error), has_begun=False) from error
        self.send(setting)

    def give(self, waiting: deque[tuple[int, Files]]) -> None:
        """The next batch, if there is one."""
        if waiting:
            number, files = waiting.popleft()
            self.batches.append(number)
            self.send((number, files))

    def send(self, message: Any) -> None:
        """Raises: ReaderDiedError."""
        try:
            self.connection.send(message)
        except OSError:
            raise self._death() from None

    def receive(self) -> Any:
        """A question, or a batch that is done. Raises: ReaderDiedError; whatever stopped the reader on purpose."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        self._has_begun = True
        if isinstance(message, Exception):
            raise message
        return message

    def _death(self) -> ReaderDiedError:
        status = self._process.wait()
        ending = signal.Signals(-status).name if status < 0 else f"status {status}"
        return ReaderDiedError(list(self.batches), ending, has_begun=self._has_begun)

    def stop(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A terminal sends Ctrl-C to all processes. It is for the owner, who ends the readers: those started here never get
    it, not even before their first line.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
