"""The tree of failures. Each has a stable code, a sentence a painter understands, and a hint what to do next."""

from typing import Any, Dict, Optional

from .language import Sentence, tr


class MaskwrightError(Exception):
    """Base of every typed failure; ``details`` holds plain values only (they travel in ``failed``).

    The class' own hint stands where none is given. A ``{0}`` in it is the model that the details name.
    """

    code = "internal"
    hint = tr("Try again. If it happens again, run 'maskwright doctor' and report it.")

    def __init__(self, message: str, hint: Optional[str] = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        own = type(self).hint
        if isinstance(own, Sentence) and own.values and details.get("model"):
            own = own.with_values(details["model"])
        self.hint: str = own if hint is None else hint
        self.details: Dict[str, Any] = details


class InternalError(MaskwrightError):
    """A defect of Maskwright itself."""


class BadMessage(MaskwrightError):
    code = "bad_message"
    hint = tr("Plugin and server may be of different versions: update both.")


class TooLarge(MaskwrightError):
    code = "too_large"
    hint = tr("Use a smaller layer or crop it first.")


class VersionMismatch(MaskwrightError):
    code = "version_mismatch"
    hint = tr("Update the plugin and the server to the same version, then restart both.")


class BadInput(MaskwrightError):
    """A prompt or parameter that cannot be used (a NaN coordinate, an unknown recipe, ...)."""

    code = "bad_input"
    hint = tr("Check the prompt and the settings.")


class EmptyPrompt(MaskwrightError):
    code = "empty_prompt"
    hint = tr("Type what to select, click on it, or drag a box around it.")


class OutsideImage(MaskwrightError):
    code = "outside_image"
    hint = tr("Click or drag inside the layer.")


class UnknownWord(MaskwrightError):
    """The detector does not know a word; details: ``word``, ``near`` (names alike), ``models`` (that would know it)."""

    code = "unknown_word"
    hint = tr("Use one of the names the model knows, or install a model that understands any text.")


class UnknownImage(MaskwrightError):
    """The server does not hold this raster (any more); details: ``keys``. Clients send it again by themselves."""

    code = "unknown_image"
    hint = tr("The image will be sent again.")


class MorePixelsNeeded(MaskwrightError):
    """The recipe needs the picture at full resolution; details: ``box`` [x, y, width, height]."""

    code = "more_pixels_needed"
    hint = tr("The image will be sent at full resolution.")


class BadImage(MaskwrightError):
    code = "bad_image"
    hint = tr("Send the image again.")


class ModelMissing(MaskwrightError):
    code = "model_missing"
    hint = tr("Install the model, or choose another one: 'maskwright models list' shows what there is.")


class ModelBroken(MaskwrightError):
    """A model file that cannot be loaded; details: ``model``, and ``missing``/``unexpected`` keys where known."""

    code = "model_broken"
    hint = tr("Run 'maskwright doctor': it tells which models do not work, and what to do about each.")


class NeedsPackage(MaskwrightError):
    """A Python package that only some models need is not installed."""

    code = "needs_package"
    hint = tr("Run 'maskwright doctor': it tells what to install.")


class LicenceNeeded(MaskwrightError):
    """The licence of a model needs the user's yes; details: ``model``, ``licence``, ``licence_url``, ``commercial``."""

    code = "licence_needed"
    hint = tr("Read the licence. If you agree, say so: 'maskwright models pull {0} --accept-licence'.", "MODEL")


class DownloadFailed(MaskwrightError):
    """No source gave the right files; details: ``model``, ``tried`` (a sentence for each source)."""

    code = "download_failed"
    hint = tr(
        "Try again later: what has arrived is kept. Or place the files by hand: 'maskwright models show {0}'.", "MODEL"
    )


class AccessDenied(MaskwrightError):
    """The source wants an account that may have the model; details: ``model``, ``page``."""

    code = "access_denied"
    hint = tr("Ask for access on the model's page, then log in with a token.")


class Offline(MaskwrightError):
    """Downloads are switched off; details: ``model``."""

    code = "offline"
    hint = tr(
        "Unset MASKWRIGHT_OFFLINE, or install from a folder: 'maskwright models pull {0} --from FOLDER'.", "MODEL"
    )


class DiskFull(MaskwrightError):
    """Details: ``model``, ``needed`` and ``free`` in bytes."""

    code = "disk_full"
    hint = tr("Make room, or set another model folder.")


class OutOfMemory(MaskwrightError):
    code = "out_of_memory"
    hint = tr("Close other programs, or choose a smaller model.")


class WorkerDied(MaskwrightError):
    code = "worker_died"
    hint = tr("Try again: the models are being loaded anew. If it happens again choose a smaller model.")


class DeadlineExceeded(MaskwrightError):
    code = "deadline"
    hint = tr("Try again, or choose a faster model.")


class Busy(MaskwrightError):
    code = "busy"
    hint = tr("Wait for the running jobs to finish, then try again.")


class ShuttingDown(MaskwrightError):
    code = "shutting_down"
    hint = tr("Start the server again: 'maskwright serve'.")


class Forbidden(MaskwrightError):
    code = "forbidden"
    hint = tr("The token is wrong or old: restart the plugin, or copy the token again.")


class ServerAbsent(MaskwrightError):
    """Raised by clients only: nothing answers at the address; details: ``needs`` is "command" where it is not known how
    to start one."""

    code = "server_absent"
    hint = tr("Start the server: 'maskwright serve'.")


class ConnectionLost(MaskwrightError):
    """Raised by clients only: the connection broke while a request was under way."""

    code = "connection_lost"
    hint = tr("Try again; if the server is gone, start it: 'maskwright serve'.")


class JobCancelled(MaskwrightError):
    """Raised by clients only: the job was cancelled or superseded."""

    code = "cancelled"
    hint = tr("")


def _codes() -> Dict[str, type]:
    found: Dict[str, type] = {}
    stack = [MaskwrightError]
    while stack:
        cls = stack.pop()
        if cls is not MaskwrightError:
            found[cls.code] = cls
        stack.extend(cls.__subclasses__())
    return found


CODES: Dict[str, type] = _codes()


def from_code(code: str, message: str, hint: str = "", details: Optional[Dict[str, Any]] = None) -> MaskwrightError:
    """The exception for a ``failed`` message; an unknown code becomes ``InternalError`` and keeps its texts."""
    error = CODES.get(code, InternalError)(message, hint or None)
    error.code = code
    error.details = dict(details or {})
    return error
