"""Which worker answers: the chat process, or the network role for a model behind an address."""

from __future__ import annotations

from desktop_rag.answering.answer import Choice
from desktop_rag.engines.registry import REMOTE, check_engine
from desktop_rag.errors import NetworkError, UsageError
from desktop_rag.settings import Settings
from desktop_rag.workers.crew import Workers


def choose(workers: Workers, model: str | None = None, engine: str | None = None, *, online: bool = False) -> Choice:
    """What answers, by the arguments or else the settings; `online` opens the network for a remote model just now.

    Raises NetworkError("sealed") for a remote model while the application is sealed, UsageError for a
    wrong engine or a missing address, and what the server's first answer says.
    """
    settings = Settings(workers.data_dir)
    name = check_engine(engine) if engine else settings["engine"]
    if name != REMOTE:
        return Choice(workers.chat, model, name or None)
    if settings["sealed"] and not online:
        raise NetworkError(
            "sealed",
            "The application is sealed: no remote model can be asked.",
            "Switch “Sealed” off in the settings, or add --online for this question.",
        )
    if not settings["remote_url"]:
        raise UsageError("bad_request", "No remote model is set.", "Enter its address in the settings.")
    worker = workers.network("remote_model", opened=online)
    chosen = model or settings["remote_model"] or None
    worker.call("load", url=settings["remote_url"], model=chosen)
    return Choice(worker, chosen, REMOTE)
