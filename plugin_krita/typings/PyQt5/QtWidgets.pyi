# Qt is not installed where the types are checked: everything from it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
