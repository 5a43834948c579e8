"""Starting, stopping and asking the server, for scripts and for the dialog."""

from dataclasses import asdict
from typing import Any, Dict

from maskwright_protocol.errors import BadInput, ConnectionLost, ServerAbsent
from maskwright_protocol.language import tr
from maskwright_protocol.messages import ModelsRequest, Shutdown, StatusRequest
from maskwright_protocol.version import __version__

from . import blocking_client


def report(asker: blocking_client.Asker) -> Dict[str, Any]:
    """State, models and recipes of the running server."""
    status = asker.request(StatusRequest(""))
    models = asker.request(ModelsRequest(""))
    return {"running": True, "status": asdict(status), "models": asdict(models)}


def act(call: Any, action: str) -> Dict[str, Any]:
    """ "status" and "stop" never start a server; "start" does, whatever the settings say."""
    if action not in ("status", "start", "stop"):
        raise BadInput(tr("There is no action {0!r}.", action), tr("Use status, start or stop."))
    client = blocking_client.open_client(__version__, {**call.settings, "start_server": action == "start"})
    asker = blocking_client.Asker(client, lambda progress: None)
    try:
        if action != "stop":
            return report(asker)
        asker.request(Shutdown(""))
        return {"running": False}
    except (ServerAbsent, ConnectionLost):
        if action == "start":
            raise
        return {"running": False}
    finally:
        client.close()
