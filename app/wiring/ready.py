"""From the first page to the desktop: the machine made ready on a worker, and why it could not be."""

from collections.abc import Callable
from functools import partial

from app.identity.keystore import KeyStoreWrongPasswordError
from app.ui.background import CancelledError, Task
from app.wiring.desktop import Desktop
from app.wiring.entrance import Entrance, NotReadyError, PassphraseWantedError
from app.wiring.start import Started, start
from app.wiring.stores import PassphraseNeededError
from app.wiring.telling import start_trouble


def make_ready(entrance: Entrance, passphrase: str | None, task: Task) -> Callable[[], Desktop]:
    """Open the installation of this account; returns what shows the sign-in page, to be called on the GUI thread.

    Args:
        entrance: whose window waits; it holds what was opened until the desktop has it.
        passphrase: what the person typed, or None.
        task: told how far it is; may stop it.

    Raises:
        PassphraseWantedError: ask for it and call again.
        NotReadyError: it cannot be opened; says why and what to do.
    """
    try:
        started = start(entrance.folder, passphrase, entrance.clock, partial(_report, task))
    except CancelledError:
        raise
    except PassphraseNeededError as error:
        raise PassphraseWantedError(is_new=error.is_new) from error
    except KeyStoreWrongPasswordError as error:
        raise PassphraseWantedError(is_new=False, trouble=str(error)) from error
    except Exception as error:
        raise NotReadyError(start_trouble(error)) from error
    return partial(_enter, entrance, entrance.begun.keep(task, started))


def _enter(entrance: Entrance, started: Started) -> Desktop:
    desktop = Desktop(entrance)
    entrance.begun.take()
    desktop.ready(started)
    return desktop


def _report(task: Task, done: int, total: int, text: str) -> None:
    task.check()
    task.report((done, total, text))
