"""The server as a user interface sees it: whether it is there, what it has, and whether this program started it."""

import hashlib
from typing import List, Optional

from maskwright_protocol.discovery import Endpoint, read_endpoint, runtime_directory
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.messages import ModelInfo, ModelsRequest, RecipeInfo, Shutdown, Status, StatusRequest

from .ask import Steps
from .client import Client
from .launcher import COMMAND_PLACE, start_if_absent
from .steps import background

ABSENT, STARTING, CONNECTED, REFUSED = "absent", "starting", "connected", "refused"
_REFUSALS = ("version_mismatch", "forbidden")  # codes of errors of a server that is there


class ServerState:
    """Base of what watches a server. Its methods are steps; ``server_changed`` is called when something is new."""

    client: Client
    settings_place = COMMAND_PLACE
    owner = ""  # under which name servers that this program starts are noted as its own; empty for not at all

    def __init__(self) -> None:
        self.state = ABSENT
        self.error: Optional[MaskwrightError] = None  # why it is absent or refused
        self.status: Optional[Status] = None
        self.device = ""
        self.device_reason = ""
        self.models: List[ModelInfo] = []
        self.recipes: List[RecipeInfo] = []

    def server_changed(self) -> None:
        raise NotImplementedError

    def set_state(self, state: str, error: Optional[MaskwrightError] = None) -> None:
        changed = (self.state, str(self.error)) != (state, str(error))
        self.state, self.error = state, error
        if changed:
            self.server_changed()

    def look(self) -> Steps:
        """Ask what the server has and does."""
        try:
            status = yield self.client.submit(StatusRequest(""))
            models = yield self.client.submit(ModelsRequest(""))
        except MaskwrightError as error:
            if self.state != STARTING:
                self.set_state(REFUSED if error.code in _REFUSALS else ABSENT, error)
            return
        before = (self.state, self.device, self.device_reason, self.models, self.recipes)
        worker = status.workers[0] if status.workers else None
        self.device, self.device_reason = (worker.device, worker.device_reason) if worker else ("", "")
        self.state, self.error, self.status = CONNECTED, None, status
        self.models, self.recipes = models.models, models.recipes
        if before != (self.state, self.device, self.device_reason, self.models, self.recipes):
            self.server_changed()

    def start(self, command: str) -> Steps:
        """Start the server, in a thread; ``command`` is the user's setting. Raises ``ServerAbsent``."""
        self.set_state(STARTING)
        before = read_endpoint()
        try:
            endpoint = yield background(lambda: start_if_absent(command, place=self.settings_place))
        except Exception as error:
            self.set_state(ABSENT, error if isinstance(error, MaskwrightError) else None)
            raise
        if self.owner and endpoint != before:  # else somebody had started it already
            claim(endpoint, self.owner)
        self.state = ABSENT
        yield from self.look()

    def stop(self) -> Steps:
        """End the server, whoever uses it."""
        yield self.client.submit(Shutdown(""))
        self.set_state(ABSENT)


# ---------------------------------------------------------------- whose server it is

# A note beside the server's address, so that after a crash the next program of that name knows the server as its own.


def note_name(owner: str) -> str:
    """The note's file in the runtime directory."""
    return f"started-by-{owner}"


def _run_of(endpoint: Endpoint) -> str:
    """Names one run of a server; its token is new at each start, and is not written down a second time."""
    return hashlib.sha256(endpoint.token.encode()).hexdigest()[:32]


def claim(endpoint: Endpoint, owner: str) -> None:
    """Note that ``owner`` started this server."""
    try:
        (runtime_directory() / note_name(owner)).write_text(_run_of(endpoint), encoding="ascii")
    except OSError:
        pass  # then it is not ended with the program that started it


def is_claimed(owner: str) -> bool:
    """The running server was started by ``owner``, in this run of the program or an earlier one."""
    endpoint = read_endpoint()
    if endpoint is None:
        return False
    try:
        return (runtime_directory() / note_name(owner)).read_text(encoding="ascii") == _run_of(endpoint)
    except (OSError, UnicodeDecodeError):
        return False


def stop_claimed(client: Client, owner: str) -> None:
    """When ``owner`` ends: stop the server that it started, unless somebody else uses it. Waits for 1.5 s at most."""
    try:
        if is_claimed(owner):
            status = client.request(StatusRequest(""), timeout=0.5)
            if isinstance(status, Status) and status.sessions <= 1:
                client.request(Shutdown(""), timeout=1.0)
    except (MaskwrightError, TimeoutError):
        pass
