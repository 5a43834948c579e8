"""Which checkpoints play the roles of a job: the user's choice, the preset's, or the best installed."""

from __future__ import annotations

from maskwright.models.roles import Detector, Matter, Segmenter
from maskwright_protocol.errors import BadInput, ModelMissing
from maskwright_protocol.messages import Job

from .context import JobContext
from .presets import Preset, find

_ROLES = ("detector", "segmenter", "matter", "parser")
BASIC = "grabcut"


class Cast:
    """The models of one job, loaded when first asked for."""

    def __init__(self, request: Job, verb: str, context: JobContext) -> None:
        """Raises ``BadInput`` for an unknown recipe or role."""
        unknown = sorted(set(request.models) - set(_ROLES))
        if unknown:
            raise BadInput(f"There is no role called {unknown[0]!r}.", hint=f"Roles: {', '.join(_ROLES)}.")
        self.preset: Preset = find(verb, request.recipe)
        self._wanted = request.models
        self._context = context

    def model_id(self, role: str) -> str:
        """The id for that role. Raises ``ModelMissing`` and says what to install."""
        if role in self._wanted:
            return self._wanted[role]
        pool = self._context.models
        ids = self.preset.roles.get(role, ())
        if not ids:
            best = pool.best(role)
            if best is None:
                candidates = ", ".join(entry.id for entry in pool.known.with_role(role))
                raise ModelMissing(
                    f"No {role} is installed.", hint=f"Install one of: {candidates or 'none known yet'}.", role=role
                )
            return best
        present = [i for i in ids if i in pool.installed]
        sound = [i for i in present if not pool.installed[i].problem]
        return next(iter(sound or present or ids))

    def detector(self) -> Detector:
        model_id = self.model_id("detector")
        with self._loading(model_id):
            model = self._context.models.detector(model_id)
        self._context.use(model_id, model.device)
        return model

    def segmenter(self) -> Segmenter:
        model_id = self.model_id("segmenter")
        with self._loading(model_id):
            model = self._context.models.segmenter(model_id)
        self._context.use(model_id, model.device)
        if model_id == BASIC:
            asked = BASIC in self._wanted.values() or BASIC in self.preset.name
            because = "" if asked else " because no SAM model is installed"
            self._context.note(f"Used the basic engine (GrabCut){because}.")
        return model

    def matter(self) -> Matter:
        model_id = self.model_id("matter")
        with self._loading(model_id):
            model = self._context.models.matter(model_id)
        self._context.use(model_id, model.device)
        return model

    def _loading(self, model_id: str):
        if model_id in self._context.models.resident():
            return _Nothing()
        title = self._context.models.known.get(model_id).title
        return self._context.stage("load", f"Loading {title}")


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None
