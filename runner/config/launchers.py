"""The launchers that Hydra's registry knows, and what their plugins say of their options."""

from __future__ import annotations

from collections.abc import Iterator

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf

from initlab.runner.json_values import JSON

GROUP = "hydra/launcher"


def found_launchers() -> set[str]:
    """Return the classes of the launchers, by their full names: those that Hydra found in installed
    packages, and those of our plugins.
    """
    known = Plugins.instance().discover(Launcher)
    return {f"{cls.__module__}.{cls.__name__}" for cls in known}


def stored_launchers() -> list[str]:
    """Return the names by which launchers can be chosen, without those in files."""
    Plugins.instance()  # the plugins store their options when they are found
    try:
        return [name.removesuffix(".yaml") for name in ConfigStore.instance().list(GROUP)]
    except OSError:
        return []


def shipped_options_of(target: str) -> Iterator[dict[str, JSON]]:
    """Return the options of a launcher's class, with the values that its own plugin gives them, for
    each name by which it can be chosen.
    """
    for name in stored_launchers():
        node = ConfigStore.instance().load(f"{GROUP}/{name}.yaml").node
        options = OmegaConf.to_container(node, resolve=False, enum_to_str=True)
        if isinstance(options, dict) and options.get("_target_") == target:
            yield {str(key): value for key, value in options.items()}
