"""Downloads of models that the user agreed to: one after the other, with progress and cancel."""

from typing import Any, Callable, List, Optional

from maskwright_protocol.messages import ModelInfo, ModelPull, Progress

from .ask import Steps
from .client import Client
from .steps import Loop, Runner


class Downloads:
    """``changed()`` when one begins or all are over, ``progressed(text, fraction)`` with a fraction of 0..1, and
    ``ended(error)``, with None when all have arrived, are called in the loop's thread.

    What has arrived before a cancel or a failure is kept by the server, so that the next try goes on from there.
    """

    def __init__(
        self,
        client: Client,
        loop: Loop,
        changed: Callable[[], None],
        progressed: Callable[[str, float], None],
        ended: Callable[[Optional[Exception]], None],
    ) -> None:
        self.current: Optional[ModelInfo] = None
        self._client, self._loop = client, loop
        self._changed, self._progressed, self._ended = changed, progressed, ended
        self._runner: Optional[Runner] = None

    def busy(self) -> bool:
        return self._runner is not None

    def start(self, models: List[ModelInfo]) -> bool:
        """The user has said yes to their licences. False, and nothing happens, while others are under way."""
        if self._runner is not None:
            return False
        self._runner = Runner(self._pull(models), self._loop, self._done)
        return True

    def cancel(self) -> None:
        if self._runner is not None:
            self._runner.cancel()

    def _pull(self, models: List[ModelInfo]) -> Steps:
        for model in models:
            self.current = model
            self._changed()
            yield self._client.submit(
                ModelPull("", model.id, accept_licence=True), lambda said: self._loop.post(lambda: self._progress(said))
            )

    def _progress(self, said: Progress) -> None:
        if self._runner is not None:
            self._progressed(said.text, min(1.0, max(0.0, said.fraction)))

    def _done(self, value: Any, error: Optional[Exception]) -> None:
        self._runner = self.current = None
        self._changed()
        self._ended(error)
